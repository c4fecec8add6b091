// Languages, themes, search, filters, sorting and keyboard shortcuts. Nothing is fetched. Text from
// an article is only ever written to textContent, so that it cannot become markup.
(() => {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);

  // A page opened from disk may have no storage and no history. Then settings last until it closes.
  const stored = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem('depeche.' + key);
      localStorage.setItem('depeche.' + key, value);
    } catch { /* see above */ }
    return null;
  };
  const hashState = () => new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');

  const oneOf = (value, choices) => (choices.includes(value) ? value : null);
  const LANGUAGES = ['fr', 'en'];
  const THEMES = ['auto', 'light', 'dark'];
  const browser = (navigator.language || 'fr').toLowerCase().startsWith('fr') ? 'fr' : 'en';
  let ui = oneOf(hashState().get('ui'), LANGUAGES) || oneOf(stored('ui'), LANGUAGES) || oneOf(root.dataset.opens, LANGUAGES) || browser;
  let theme = oneOf(hashState().get('theme'), THEMES) || oneOf(stored('theme'), THEMES) || 'auto';
  const applyTheme = () => { if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme; };
  applyTheme(); // before anything is drawn

  const words = JSON.parse(one('words').textContent);
  const word = (key) => words[ui][key] ?? key;
  const numbers = { fr: new Intl.NumberFormat('fr', { maximumFractionDigits: 4 }), en: new Intl.NumberFormat('en', { maximumFractionDigits: 4 }) };
  const dates = {};
  for (const [name, style] of [['long', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }], ['short', { day: 'numeric', month: 'short', year: 'numeric' }]]) {
    dates[name] = {};
    for (const language of LANGUAGES) dates[name][language] = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'fr', { ...style, timeZone: 'UTC' });
  }
  const formatDate = (value, style) => { const time = new Date(value.slice(0, 10)); return isNaN(time) ? value : dates[style][ui].format(time); };

  /** Shows the page's texts, numbers and dates in the language of the reader. */
  function applyLanguage() {
    root.lang = ui;
    for (const node of all('[data-w]')) node.textContent = word(node.dataset.w);
    for (const node of all('[data-w-label]')) node.setAttribute('aria-label', word(node.dataset.wLabel));
    for (const node of all('[data-n]')) node.textContent = numbers[ui].format(Number(node.dataset.n));
    for (const node of all('[data-t]')) node.textContent = formatDate(node.dateTime, node.dataset.t);
    for (const button of all('[data-ui]')) button.setAttribute('aria-pressed', String(button.dataset.ui === ui));
    one('theme').textContent = word('theme-' + theme);
  }

  const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[’ʼ]/g, "'").replace(/[\u00a0\u202f]/g, ' ').toLowerCase();

  function start() {
    const controls = Object.fromEntries(['q', 'flag', 'status', 'from', 'to', 'source', 'sort'].map((id) => [id, one(id)]));
    const rows = all('article').map((node, place) => ({
      node, place, text: null, shown: true,
      flags: node.dataset.f ? node.dataset.f.split(' ') : [], status: node.dataset.s, date: node.dataset.d.slice(0, 10), priority: Number(node.dataset.v),
      source: node.dataset.p, from: fold(node.dataset.p + ' ' + (node.querySelector('.original')?.textContent ?? '')),
    }));
    const text = (row) => (row.text ??= fold(row.node.textContent));
    // The browser lays out a chunk of articles only when it is near the window. Until then, its
    // height is estimated from --rows.
    const chunks = all('.chunk').map((node) => ({ node, rows: -1 }));
    const size = chunks[0]?.node.childElementCount ?? 0;
    const updateChunks = () => chunks.forEach((chunk, at) => {
      const shown = order.slice(at * size, (at + 1) * size).filter((row) => row.shown).length;
      if (shown === chunk.rows) return;
      chunk.rows = shown;
      chunk.node.hidden = shown === 0;
      chunk.node.style.setProperty('--rows', shown);
    });
    let order = rows;
    let current = null;

    const ORDERS = {
      newest: (a, b) => b.date.localeCompare(a.date) || a.place - b.place,
      oldest: (a, b) => (a.date || '~').localeCompare(b.date || '~') || a.place - b.place,
      gravest: (a, b) => b.priority - a.priority || b.flags.length - a.flags.length || a.place - b.place,
      source: (a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0),
    };

    function option(value, label) {
      const node = document.createElement('option');
      node.value = value;
      node.textContent = label;
      return node;
    }

    /** Fills the selects, with counts over the articles of the page, and keeps the selected values. */
    function fillSelects(choices = {}) {
      const count = (of) => { const found = new Map(); for (const row of rows) for (const value of of(row)) found.set(value, (found.get(value) ?? 0) + 1); return [...found].sort(); };
      const fill = (select, first, entries) => {
        const chosen = choices[select.id] ?? select.value;
        select.replaceChildren(...first, ...entries);
        select.value = chosen;
        if (select.selectedIndex < 0) select.selectedIndex = 0;
      };
      const counted = (kind) => ([value, n]) => option(value, `${word(kind + value)} (${numbers[ui].format(n)})`);
      fill(controls.flag, [option('', word('any')), option('*', word('any-flag')), option('!', word('without'))], count((row) => row.flags).map(counted('flag-')));
      fill(controls.status, [option('', word('any'))], count((row) => [row.status]).map(counted('status-')));
      fill(controls.sort, [], Object.keys(ORDERS).map((name) => option(name, word('sort-' + name))));
    }

    /** Suggests folders and sites as sources, those with the most articles first. */
    function fillSources() {
      const found = new Map();
      const add = (name) => name && found.set(name, (found.get(name) ?? 0) + 1);
      for (const row of rows) {
        add(row.source.replace(/#.*$/, '').replace(/[^/]*$/, ''));
        add(row.node.querySelector('.original')?.textContent);
      }
      const most = [...found].sort((a, b) => b[1] - a[1]).slice(0, 200);
      one('sources').replaceChildren(...most.map(([name]) => option(name, name)));
    }

    function saveState() {
      const state = new URLSearchParams();
      for (const [id, control] of Object.entries(controls)) if (control.value && !(id === 'sort' && control.value === 'newest')) state.set(id, control.value);
      const hash = state.toString();
      try { history.replaceState(null, '', hash ? '#' + hash : location.pathname + location.search); } catch { /* see `stored` */ }
    }

    function matcher() {
      const terms = fold(controls.q.value).match(/"[^"]+"|\S+/g)?.map((term) => term.replace(/"/g, '')) ?? [];
      const [flag, status, from, to, source] = [controls.flag.value, controls.status.value, controls.from.value, controls.to.value, fold(controls.source.value.trim())];
      return (row) =>
        (!flag || (flag === '*' ? row.flags.length > 0 : flag === '!' ? row.flags.length === 0 : row.flags.includes(flag))) &&
        (!status || row.status === status) &&
        (!from || row.date >= from) && (!to || (row.date && row.date <= to)) &&
        (!source || row.from.includes(source)) &&
        terms.every((term) => text(row).includes(term));
    }

    function filter() {
      const fits = matcher();
      let shown = 0;
      for (const row of rows) {
        const fit = fits(row);
        if (fit) shown += 1;
        if (fit !== row.shown) { row.node.hidden = !fit; row.shown = fit; }
      }
      updateChunks();
      const few = shown < rows.length;
      const total = rows.length;
      // French counts none like one.
      const articles = word(total === 1 || (total === 0 && ui === 'fr') ? 'articles-one' : 'articles');
      one('tally').textContent = `${few ? `${numbers[ui].format(shown)} ${word('of')} ` : ''}${numbers[ui].format(total)} ${articles}`;
      one('nothing').hidden = shown > 0 || rows.length === 0;
      one('reset').hidden = !Object.entries(controls).some(([id, control]) => id !== 'sort' && control.value);
      for (const button of all('[data-flag]')) button.setAttribute('aria-pressed', String(button.dataset.flag === controls.flag.value));
      saveState();
    }

    function sort() {
      const sorted = [...rows].sort(ORDERS[controls.sort.value] ?? ORDERS.newest);
      if (sorted.every((row, place) => row === order[place])) return;
      order = sorted;
      chunks.forEach((chunk, at) => chunk.node.replaceChildren(...order.slice(at * size, (at + 1) * size).map((row) => row.node)));
    }

    function loadState(state) {
      for (const [id, control] of Object.entries(controls)) if (control.tagName === 'INPUT') control.value = state.get(id) ?? '';
      fillSelects(Object.fromEntries(['flag', 'status', 'sort'].map((id) => [id, state.get(id) ?? ''])));
      sort();
      filter();
    }

    // At most once per frame, however fast the reader types.
    let pending = false;
    const nextFrame = (work) => { if (pending) return; pending = true; requestAnimationFrame(() => { pending = false; work(); }); };

    function move(step, fits = () => true) {
      const shown = order.filter((row) => row.shown);
      if (shown.length === 0) return;
      let at = shown.indexOf(current);
      if (at < 0) at = step > 0 ? -1 : shown.length;
      do at += step; while (shown[at] && !fits(shown[at]));
      if (!shown[at]) return;
      current = shown[at];
      current.node.focus({ preventScroll: true });
      current.node.scrollIntoView({ block: 'start' });
    }

    function setLanguage(language) {
      ui = language;
      stored('ui', ui);
      applyLanguage();
      fillSelects();
      for (const row of rows) row.text = null; // the page's own words are searched too
      filter();
    }

    function setTheme() {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      stored('theme', theme);
      applyTheme();
      one('theme').textContent = word('theme-' + theme);
    }

    function reset() {
      for (const [id, control] of Object.entries(controls)) if (id !== 'sort') control.value = '';
      filter();
    }

    const toReview = (row) => row.priority > 1;
    const KEYS = {
      '/': () => { one('q').focus(); one('q').select(); },
      j: () => move(1), k: () => move(-1),
      n: () => move(1, toReview), p: () => move(-1, toReview),
      o: () => current?.node.querySelector('.original')?.click(),
      e: () => { const whole = current?.node.querySelector('.whole'); if (whole) whole.open = !whole.open; },
      s: () => current?.node.querySelector('.file')?.click(),
      l: () => setLanguage(ui === 'fr' ? 'en' : 'fr'),
      t: setTheme,
      '?': () => one('keyboard').showModal(),
    };

    document.addEventListener('keydown', (event) => {
      const typing = event.target.closest('input, select, textarea, dialog');
      if (event.key === 'Escape' && event.target.closest('.bar')) { reset(); event.target.blur(); return; }
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !one('single').checked) return;
      const act = KEYS[event.key];
      if (act) { event.preventDefault(); act(); }
    });
    document.addEventListener('focusin', (event) => {
      const node = event.target.closest('article');
      if (node) current = rows.find((row) => row.node === node) ?? current;
    });
    document.addEventListener('click', (event) => {
      const target = event.target.closest('[data-ui], [data-flag], .notes a[href^="#"]');
      if (!target) return;
      if (target.dataset.ui) setLanguage(target.dataset.ui);
      else if (target.dataset.flag) { controls.flag.value = controls.flag.value === target.dataset.flag ? '' : target.dataset.flag; filter(); }
      else {
        event.preventDefault(); // keep the filters in the address
        const mark = one(target.getAttribute('href').slice(1));
        all('mark.here').forEach((node) => node.classList.remove('here'));
        mark.classList.add('here');
        const fold = mark.closest('details');
        if (fold) fold.open = true;
        mark.scrollIntoView({ block: 'center' });
      }
    });
    one('theme').addEventListener('click', setTheme);
    one('help').addEventListener('click', () => one('keyboard').showModal());
    one('reset').addEventListener('click', () => { reset(); one('q').focus(); });
    one('filters').addEventListener('click', (event) => {
      const open = event.currentTarget.closest('.bar').classList.toggle('open');
      event.currentTarget.setAttribute('aria-expanded', String(open));
    });
    one('single').checked = stored('keys') !== 'off';
    one('single').addEventListener('change', (event) => stored('keys', event.target.checked ? 'on' : 'off'));
    const bar = document.querySelector('.bar');
    const height = () => root.style.setProperty('--bar', bar.offsetHeight + 'px');
    height();
    addEventListener('resize', height);
    bar.addEventListener('submit', (event) => event.preventDefault());
    bar.addEventListener('input', (event) => nextFrame(() => { if (event.target.id === 'sort') sort(); filter(); }));
    addEventListener('hashchange', () => { if (location.hash.includes('=')) loadState(hashState()); });

    applyLanguage();
    loadState(hashState());
    fillSources();
    // Prepare the texts for the search while the browser is idle.
    const idle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 50));
    let next = 0;
    const index = (time) => { while (next < rows.length && time.timeRemaining() > 2) text(rows[next++]); if (next < rows.length) idle(index); };
    idle(index);
  }

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
