// See scripts/try-page. Each step says what must hold; a fault is printed and the exit code is 1.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

import { open, visit } from './browser.mjs';

const AXE = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const at = (name) => pathToFileURL(`${name}/output/digest.html`).href;
let failed = 0;
const told = (what, fault) => { failed += 1; console.log(`FAULT ${what}: ${fault}`); };
const hold = (what, holds, seen = '') => holds || told(what, `does not hold ${JSON.stringify(seen)}`);
const browser = await open();

/** Does `act` on a page of its own, then hears what the page has said meanwhile. */
async function step(what, url, options, act) {
  const { context, page, faults } = await visit(browser, url, options);
  try {
    await act(page);
  } catch (error) {
    told(what, error.message);
  }
  if (options.javaScriptEnabled !== false) faults.push(...(await page.evaluate(() => globalThis.stopped)).map((stop) => `policy: ${stop}`));
  for (const fault of faults) told(what, fault);
  await context.close();
  console.log(`tried ${what}`);
}

const shown = (page) => page.locator('article:not([hidden])').count();
const tally = (page) => page.locator('#tally').textContent();

async function axe(page, what, within = 'html') {
  await page.evaluate(AXE);
  const found = await page.evaluate((within) => globalThis.axe.run(within, { resultTypes: ['violations'] }), within);
  for (const { id, impact, nodes } of found.violations) {
    const where = `${id} (${impact}) at ${nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`;
    if (['serious', 'critical'].includes(impact)) told(what, where);
    else console.log(`  axe, ${impact}: ${where}`);
  }
}

// Both themes, both languages, wide and narrow: nothing sticks out, axe has nothing serious to say, and a picture to look at.
for (const [name, rows] of [['ten', 10], ['many', 5000]]) {
  for (const [width, height] of [[1440, 900], [390, 740], [320, 600]]) {
    for (const [scheme, locale] of [['light', 'fr-FR'], ['light', 'en-GB'], ['dark', 'fr-FR'], ['dark', 'en-GB']]) {
      const language = locale.slice(0, 2);
      const what = `${rows} rows, ${width} px, ${scheme}, ${language}`;
      await step(what, at(name), { viewport: { width, height }, colorScheme: scheme, locale }, async (page) => {
        const picture = (part = '') => page.screenshot({ path: `${name}-${width}-${scheme}-${language}${part}.png` });
        hold(`${what}: all rows`, (await page.locator('article').count()) === rows);
        hold(`${what}: the language`, (await page.locator('html').getAttribute('lang')) === language);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        hold(`${what}: nothing sticks out`, wide <= 0, wide);
        const headline = await page.evaluate(() => document.querySelector('article h2').getBoundingClientRect().bottom - innerHeight);
        hold(`${what}: the first headline is on the first screen`, headline <= 0, headline);
        await picture();
        if (rows === 10) await axe(page, what); // the others are the same, and take it minutes
        await page.locator('article[data-v="3"]').first().scrollIntoViewIfNeeded();
        await picture('-article');
        if (rows > 10) return;
        await page.locator('article[data-f="name no-title"] summary').click();
        await page.locator('article[data-f="name no-title"]').evaluate((node) => node.scrollIntoView());
        await picture('-whole');
      });
    }
  }
}

await step('harmless', at('ten'), {}, async (page) => {
  hold('the title is ours', (await page.title()).startsWith('Dépêches'));
  hold('the markup is text', (await page.locator('h2', { hasText: "<script>document.title='PWNED'</script>" }).count()) === 1);
  hold('nothing of it is an element', (await page.locator('article :is(script, style, img, iframe, form)').count()) === 0);
  hold('the order is marked', (await page.locator('mark', { hasText: 'Ignore previous instructions' }).count()) === 1);
  const links = await page.locator('a').evaluateAll((all) => all.map((a) => a.protocol));
  hold('links lead to the web and to files', links.every((scheme) => ['http:', 'https:', 'file:'].includes(scheme)), links);
});

await step('filters', at('ten'), {}, async (page) => {
  await page.fill('#q', 'digue BRENNEC');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length === 1);
  hold('accents do not matter', (await page.fill('#q', 'depense tempete').then(() => page.waitForTimeout(50)).then(() => shown(page))) === 0);
  hold('nothing found is said', await page.locator('#nothing').isVisible());
  await page.click('#reset');
  hold('all again', (await shown(page)) === 10);
  await page.fill('#q', 'depense tempete');
  await page.click('[data-ui=en]');
  hold('counts have their plural', (await tally(page)) === '0 of 10 articles', await tally(page));
  await page.click('[data-ui=fr]');
  await page.click('#reset');
  await page.click('[data-flag=number]');
  hold('a bar filters by its flag', (await shown(page)) === 1 && (await page.locator('#flag').inputValue()) === 'number');
  hold('the address has it', page.url().endsWith('#flag=number'), page.url());
  await page.reload();
  hold('a bookmark has it too', (await shown(page)) === 1, await tally(page));
  await page.click('#reset');
  await page.selectOption('#status', 'failed');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length === 1);
  await page.selectOption('#status', '');
  await page.fill('#from', '2026-11-22');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length === 3);
  await page.fill('#to', '2026-11-23');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length === 2);
  await page.click('#reset');
  await page.fill('#source', 'ouest-courrier');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length < 10);
  hold('by site', (await page.locator('article:not([hidden]) .original').allTextContents()).every((host) => host === 'ouest-courrier.example'));
  await page.click('#reset');
  await page.selectOption('#sort', 'gravest');
  await page.waitForFunction(() => document.querySelector('article').dataset.v === '3');
  await page.selectOption('#sort', 'oldest');
  await page.waitForFunction(() => document.querySelector('article').dataset.d === '2026-11-15');
});

await step('keys', at('ten'), {}, async (page) => {
  const focused = () => page.evaluate(() => document.activeElement.id);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  hold('j goes on', (await focused()) === 'a-0000000000000001', await focused());
  await page.keyboard.press('k');
  hold('k goes back', (await focused()) === 'a-0000000000000000', await focused());
  await page.keyboard.press('n');
  hold('n finds a doubtful one', (await page.evaluate(() => document.activeElement.dataset.v)) > '1');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  hold('focus is seen', ring === 'solid', ring);
  await page.keyboard.press('/');
  hold('/ searches', (await focused()) === 'q');
  await page.keyboard.type('jk/');
  hold('keys are text there', (await page.locator('#q').inputValue()) === 'jk/');
  await page.keyboard.press('Escape');
  hold('Escape clears', (await page.locator('#q').inputValue()) === '' && (await shown(page)) === 10);
  await page.keyboard.press('l');
  hold('l changes the language', (await page.locator('h1').textContent()) === 'Dispatches');
  await page.keyboard.press('t');
  hold('t changes the theme', (await page.locator('html').getAttribute('data-theme')) === 'light');
  await page.keyboard.press('?');
  hold('? helps', await page.locator('dialog').isVisible());
  await axe(page, 'the help', 'dialog');
  await page.screenshot({ path: 'help.png' });
  await page.uncheck('#single');
  await page.locator('dialog button').click();
  await page.keyboard.press('t');
  hold('single keys can be switched off', (await page.locator('html').getAttribute('data-theme')) === 'light');
  await page.reload();
  hold('choices are remembered', (await page.locator('h1').textContent()) === 'Dispatches' && !(await page.locator('#single').isChecked()));
  await page.click('.notes a[href^="#m-"]:visible');
  hold('a finding leads to its place', (await page.locator('mark.here').count()) === 1);
});

await step('whole articles', at('ten'), {}, async (page) => {
  const open = () => page.locator('details.whole[open]').count();
  hold('they are folded', (await open()) === 0 && (await page.locator('details.whole').count()) === 9);
  await page.keyboard.press('j');
  await page.keyboard.press('e');
  hold('e opens one', (await open()) === 1);
  hold('both languages', (await page.locator('details.whole[open] p[lang=fr]').count()) === 2 && (await page.locator('details.whole[open] p[lang=en]').count()) === 2);
  hold('it leads to the original', (await page.locator('details.whole[open] a').getAttribute('href')).startsWith('https://'));
  await page.keyboard.press('e');
  hold('e closes it', (await open()) === 0);
  hold('the same finding about two texts is said once', (await page.locator('article[data-f=number] .notes li').count()) === 1);
  const tones = await page.locator('article[data-f=number] .pair > [class]').evaluateAll((all) => all.map((node) => node.className));
  hold('both sides of a doubt are marked', tones.join() === 'beside,doubt error,beside,doubt error', tones);
  const heading = await page.locator('article[data-f="name no-title"] h2 [lang=fr]').textContent();
  const said = (await page.locator('article[data-f="name no-title"] > :not(details)').allTextContents()).join(' ');
  hold('without a title, the first sentence is said once', said.split(heading).length === 2, heading);
});

await step('no storage, no history', at('ten'), {
  prepare: () => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } });
    history.replaceState = () => { throw new DOMException('denied', 'SecurityError'); };
  },
}, async (page) => {
  await page.click('[data-ui=en]');
  await page.click('#theme');
  await page.fill('#q', 'digue');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length < 10);
  hold('it works all the same', (await page.locator('h1').textContent()) === 'Dispatches');
});

await step('no JavaScript', at('ten'), { javaScriptEnabled: false }, async (page) => {
  hold('all can be read', (await page.locator('article p[lang=fr]').count()) > 10);
  hold('controls that do nothing are not there', !(await page.locator('.bar').isVisible()) && !(await page.locator('.switches').isVisible()));
});

await step('no articles', at('none'), { locale: 'en-GB' }, async (page) => {
  hold('it says so', (await page.locator('main').textContent()).includes('No articles this time.'));
  await axe(page, 'no articles');
});

await step('paper', at('ten'), {}, async (page) => {
  await page.emulateMedia({ media: 'print' });
  hold('no controls on paper', !(await page.locator('.bar').isVisible()));
  const unseen = await page.evaluate(() => [...document.querySelectorAll('article')].filter((node) => !node.checkVisibility({ contentVisibilityAuto: true })).length);
  hold('all articles on paper', unseen === 0, unseen);
  await page.pdf({ path: 'paper.pdf', format: 'A4' });
});

const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(readFileSync('ten/output/digest.html')));
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
await step('from a server', `http://127.0.0.1:${server.address().port}/digest.html`, {}, async (page) => hold('all rows', (await shown(page)) === 10));
server.close();

await step('5,000 rows at work', at('many'), {}, async (page) => {
  const laid = await page.evaluate(() => [...document.querySelectorAll('article')].filter((node) => node.checkVisibility({ contentVisibilityAuto: true })).length);
  hold('only what is near the window is laid out', laid < 100, laid);
  const figures = await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const input = (id, value) => { const node = document.getElementById(id); node.value = value; node.dispatchEvent(new Event('input', { bubbles: true })); };
    const time = async (act) => { await frame(); const start = performance.now(); await act(); await frame(); await frame(); return Math.round(performance.now() - start); };
    return {
      'ms to search': await time(() => input('q', 'digue')), 'ms to show all': await time(() => input('q', '')), 'ms to sort': await time(() => input('sort', 'gravest')),
      'ms a frame, scrolling': (await time(async () => { for (let i = 0; i < 100; i++) { scrollBy({ top: 300, behavior: 'instant' }); await frame(); } })) / 100,
    };
  });
  console.log(`  ${JSON.stringify(figures)}`);
  await page.fill('#q', 'PWNED');
  await page.waitForFunction(() => document.querySelectorAll('article:not([hidden])').length === 200);
  hold('filtered, they close up', (await page.locator('.chunk:not([hidden])').count()) <= 200);
});

await browser.close();
console.log(failed === 0 ? 'The page holds.' : `${failed} faults.`);
process.exit(failed === 0 ? 0 : 1);
