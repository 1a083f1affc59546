// What an operator sees and does. Everything on it comes from the HTTP API and /metrics.

import { grown, parse, quantiles } from './metrics.js';

const period = 1000;
const window = 120;
const tries = 8;
const accounts = new Map();
const byId = id => document.getElementById(id);

/** Does it again and again, one after the other, with a pause in between, while the page is in view. */
async function keep(work) {
  for (; ;) {
    if (!document.hidden) {
      await work();
    }
    await new Promise(resolve => setTimeout(resolve, period));
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(20000), ...options });
  return { status: response.status, body: await response.json() };
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  return made;
}

function say(id, text, kind = 'good') {
  byId(id).textContent = text;
  byId(id).dataset.kind = kind;
}

// Health

const summaries = {
  Healthy: 'All is well: every replica that is needed serves, and one may be lost.',
  Degraded: 'Reads and writes go on, but no replica is left to lose.',
  Unhealthy: 'No quorum, or no replica here: accounts can’t be read or changed until replicas are back.',
};

function showHealth(status, text, reasons) {
  byId('health').dataset.status = status;
  byId('health').textContent = text;
  byId('reasons').replaceChildren(...reasons.map(reason => element('li', reason)));
}

async function lookAtHealth() {
  try {
    const { body } = await ask('/health/ready');
    showHealth(body.status, summaries[body.status], body.checks.map(check => check.description));
  } catch (error) {
    showHealth('Unhealthy', 'This process does not answer.', [error.message]);
  }
}

// Silos and replicas

async function lookAtCluster() {
  try {
    const { body } = await ask('/cluster');
    showSilos(body.silos, body.own);
    showReplicas(body.groups);
  } catch {
    // The health says it in words.
  }
}

let shownSilos = '';

/** Leaves the buttons alone while nothing has changed: somebody may be about to press one. */
function showSilos(silos, own) {
  const now = JSON.stringify([silos, own]);
  if (now === shownSilos) {
    return;
  }
  shownSilos = now;
  byId('silos').replaceChildren(...silos.map(silo => {
    const card = element('li', '');
    card.dataset.silo = silo.name;
    card.append(
      element('span', `Silo ${silo.name}`, { class: 'name' }),
      element('span', silo.status, { class: 'state', 'data-state': silo.status }),
      element('span', silo.replica ? `${silo.address} · replica ${silo.replica}` : silo.address, { class: 'faint' }));
    const isDead = silo.status === 'dead';
    if (own.includes(silo.name) && (own.length > 1 || !isDead)) {
      const verb = isDead ? 'start' : 'kill';
      const button = element('button', isDead ? 'Start' : 'Kill', { class: verb, type: 'button' });
      button.disabled = silo.status === 'starting' || silo.status === 'dying';
      button.addEventListener('click', () => change(silo.name, verb, button));
      card.append(button);
    }
    return card;
  }));
}

async function change(silo, verb, button) {
  button.disabled = true;
  say('silo-answer', verb === 'kill' ? `Killing silo ${silo} …` : `Starting silo ${silo} …`, 'wait');
  try {
    const { status, body } = await ask(`/cluster/silos/${encodeURIComponent(silo)}/${verb}`, { method: 'POST' });
    const isDone = status === 200;
    say('silo-answer', isDone ? `Silo ${silo} is ${body.status}.` : body.detail, isDone ? 'good' : 'bad');
  } catch (error) {
    say('silo-answer', `Silo ${silo}: no answer. ${error.message}`, 'bad');
  }
  shownSilos = '';
  await lookAtCluster();
}

/** A replica has one state in all groups where it is pinned; where it floats, each group may have another. */
function showReplicas(groups) {
  const rows = new Map();
  for (const { group, replicas } of groups) {
    for (const { replica, state, host, logBytes, problem } of replicas) {
      const key = [replica, state, host, problem].join('\n');
      const row = rows.get(key) ?? { replica, state, host, problem, groups: [], bytes: new Set() };
      row.groups.push(group);
      row.bytes.add(logBytes);
      rows.set(key, row);
    }
  }
  const sorted = [...rows.values()].sort((left, right) => left.replica.localeCompare(right.replica));
  byId('replicas').tBodies[0].replaceChildren(...sorted.map(row => {
    const made = document.createElement('tr');
    const all = row.groups.length === groups.length;
    const state = document.createElement('td');
    state.append(element('span', row.state, { class: 'state', 'data-state': row.state }));
    made.append(
      element('td', all ? row.replica : `${row.replica}, groups ${row.groups.join(', ')}`),
      state,
      element('td', row.host ?? '–'),
      element('td', row.host ? size(Math.max(...row.bytes)) : '–', { class: 'number' }),
      element('td', row.problem ?? ''));
    return made;
  }));
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

// The bank

/** 128 random bits. crypto.randomUUID is there for https and this very machine only. */
function newRequestId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** What was asked for in vain, with its request id: whoever asks for the same once more means the same. */
let unanswered = null;

/** Asks until there is an answer. With one request id it is done once, however often it is asked for. */
async function request(path, body) {
  const what = JSON.stringify([path, body]);
  const requestId = unanswered?.what === what ? unanswered.requestId : newRequestId();
  const options = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, requestId }),
  };
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(path, options).catch(error => ({ status: 503, body: { detail: error.message } }));
    if (answer.status !== 503 || attempt === tries) {
      unanswered = answer.status === 503 ? { what, requestId } : null;
      return answer;
    }
    say('bank-answer', `No answer yet (try ${attempt} of ${tries}): ${answer.body.detail}`, 'wait');
    await new Promise(resolve => setTimeout(resolve, period));
  }
}

function showBalances(...views) {
  for (const view of views) {
    accounts.set(view.id, view);
  }
  byId('balances').hidden = accounts.size === 0;
  byId('balances').tBodies[0].replaceChildren(...[...accounts.values()].map(view => {
    const row = document.createElement('tr');
    row.append(
      element('td', view.id), element('td', view.balance.toFixed(2), { class: 'number' }), element('td', view.silo));
    return row;
  }));
}

async function submit(event, send) {
  event.preventDefault();
  const buttons = [...event.target.querySelectorAll('button')];
  const form = new FormData(event.target, event.submitter);
  buttons.forEach(button => { button.disabled = true; });
  say('bank-answer', 'Asking …', 'wait');
  try {
    const { status, body } = await send(form);
    if (status === 200) {
      showBalances(...(body.from ? [body.from, body.to] : [body]));
      say('bank-answer', 'Done: a quorum has it.');
    } else {
      say('bank-answer', `${body.title ?? 'No answer.'} ${body.detail}`, 'bad');
    }
  } finally {
    buttons.forEach(button => { button.disabled = false; });
  }
}

byId('deposit').addEventListener('submit', event => submit(event, form => request(
  `/accounts/${encodeURIComponent(form.get('account'))}/${form.get('kind')}`, { amount: Number(form.get('amount')) })));
byId('transfer').addEventListener('submit', event => submit(event, form => request(
  '/transfers', { from: form.get('from'), to: form.get('to'), amount: Number(form.get('amount')) })));

// Plots

/** A colour of the page as a canvas understands it. */
function ink(name) {
  const probe = byId('ink');
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function plot(id, series, range) {
  const place = byId(id);
  const axis = { stroke: () => ink('--faint'), grid: { stroke: () => ink('--line'), width: 1 } };
  const made = new uPlot({
    width: place.clientWidth,
    height: 170,
    legend: { show: series.length > 1, live: false },
    cursor: { show: false },
    scales: { x: { range: (_, __, last) => [last - window, last] }, y: { range } },
    axes: [axis, { ...axis, size: 52 }],
    series: [{}, ...series.map(one => ({ label: one.label, stroke: () => ink(one.color), width: 2, spanGaps: false }))],
  }, [[], ...series.map(() => [])], place);
  new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: 170 })).observe(place);
  return { made, columns: [[], ...series.map(() => [])] };
}

function add({ made, columns }, ...values) {
  columns.forEach((column, index) => {
    column.push(values[index]);
    if (column.length > window) {
      column.shift();
    }
  });
  made.setData(columns);
}

const fromZero = (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.1];
const shown = (value, digits) => value === null ? '–' : value.toFixed(digits);

async function measure() {
  const rounds = plot('rounds', [{ label: 'rounds', color: '--accent' }], fromZero);
  const latency = plot(
    'latency', [{ label: 'p50', color: '--accent' }, { label: 'p99', color: '--bad' }], fromZero);
  const trips = plot('trips', [{ label: 'one round trip', color: '--good' }], [0, 105]);
  let before = null;
  let since = 0;
  await keep(async () => {
    let now;
    try {
      const response = await fetch('/metrics', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      now = parse(await response.text());
    } catch {
      return;
    }
    const at = performance.now();
    if (before !== null) {
      const time = Date.now() / 1000;
      const count = grown(before, now, 'consensus_rounds_total');
      const short = grown(before, now, 'consensus_rounds_total', labels => labels.round_trips === '1');
      const [half, most] = quantiles(
        before, now, 'consensus_change_duration_seconds', [0.5, 0.99], labels => labels.kind === 'write')
        .map(seconds => seconds === null ? null : seconds * 1000);
      const rate = count * 1000 / (at - since);
      const share = count === 0 ? null : 100 * short / count;
      add(rounds, time, rate);
      add(latency, time, half, most);
      add(trips, time, share);
      byId('rounds-now').textContent = shown(rate, 0);
      byId('latency-now').textContent = half === null ? '–' : `${shown(half, 1)} / ${shown(most, 1)}`;
      byId('trips-now').textContent = shown(share, 0);
    }
    [before, since] = [now, at];
  });
}

keep(lookAtHealth);
keep(lookAtCluster);
measure();
