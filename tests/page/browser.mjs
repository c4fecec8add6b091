// The browser and what it says about a page.
import { chromium } from 'playwright-core';

export const open = () => {
  const root = process.getuid?.() === 0;
  // Chromium refuses its sandbox to root, which containers mostly are.
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: root ? ['--no-sandbox'] : [] });
};

/** A page in a window of its own, and everything that it should not have said or done. */
export async function visit(browser, url, { prepare, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => request.url().split('#')[0] !== url.split('#')[0] && faults.push(`request: ${request.url()}`));
  await page.addInitScript(() => {
    globalThis.stopped = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.stopped.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  if (prepare) await page.addInitScript(prepare);
  await page.goto(url);
  return { context, page, faults };
}
