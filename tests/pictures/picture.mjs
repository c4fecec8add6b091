// See scripts/pictures. Usage: node picture.mjs PAGE PICTURE
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { open, visit } from './browser.mjs';

const [page, picture] = process.argv.slice(2);
const browser = await open();
const url = pathToFileURL(resolve(page)).href + '#sort=gravest';
const visited = await visit(browser, url, { viewport: { width: 1280, height: 860 }, locale: 'en-GB' });
await visited.page.screenshot({ path: picture });
// The terminal and the table, to look at.
const blank = await browser.newPage();
await blank.setContent(readFileSync('picture.svg', 'utf8'));
await blank.locator('svg').screenshot({ path: 'picture.png' });
await browser.close();
