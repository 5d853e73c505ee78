// The story of a caller's call: one column for each telephone, one row for each thing that happened.

import { clock, story } from './words.js';

export class Timeline {
  constructor(box, empty, nameOf) {
    Object.assign(this, { box, empty, nameOf, key: '', drawn: 0, last: null });
  }

  // draw tells the events of call and of its legs; engineers: with requests.
  draw(world, call, engineers) {
    this.box.hidden = !call;
    this.empty.hidden = Boolean(call);
    if (!call) return;
    const legs = world.legsOf(call);
    const lanes = ['caller', ...new Set(legs.map((l) => l.person))];
    const key = [call.sid, engineers, ...lanes].join();
    if (key !== this.key) {
      this.key = key;
      this.drawn = 0;
      this.last = null;
      this.head(lanes);
    }
    const ours = new Map(legs.map((l) => [l.sid, l.person]));
    ours.set(call.sid, 'caller');
    const from = call.created - 1;
    const until = call.live ? Infinity : call.ended + 60_000;
    const atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 60;
    for (; this.drawn < world.events.length; this.drawn++) {
      const event = world.events[this.drawn];
      const at = Date.parse(event.at);
      const lane = event.call ? ours.get(event.call) : (at >= from && at <= until ? 'twilio' : undefined);
      if (lane) this.row(event, world.calls.get(event.call), lane, lanes, engineers);
    }
    if (atEnd) this.box.scrollTop = this.box.scrollHeight;
  }

  name(lane) { return lane === 'caller' ? 'Caller' : this.nameOf(lane); }

  head(lanes) {
    this.box.style.setProperty('--lanes', lanes.length);
    const row = element('div', 'lane-row lane-head', { role: 'row' });
    row.append(element('span', 'at', { role: 'columnheader' }, 'Time'));
    for (const lane of lanes) row.append(element('span', 'lane-name', { role: 'columnheader' }, this.name(lane)));
    this.box.replaceChildren(row);
  }

  row(event, call, lane, lanes, engineers) {
    const told = story(event, call, this.nameOf);
    if (!told || (told.engineers && !engineers)) return;
    if (this.last && event.kind === 'played' && this.last.lane === lane && this.last.text === told.text) return; // music in pieces
    // Both ends of a conversation begin and end it in one row.
    const at = Date.parse(event.at);
    const together = /bridged$/.test(event.kind) && this.last?.kind === event.kind && this.last.lane !== lane && at - this.last.at < 100;
    const row = together ? this.last.row : element('div', 'lane-row', { role: 'row', 'data-kind': event.kind });
    if (!together) row.append(element('time', 'at', { role: 'cell', datetime: event.at }, clock(event.at)));
    this.last = { lane, text: told.text, kind: event.kind, at, row };
    const cell = element('div', `cell ${told.look}`, { role: 'cell' });
    cell.append(element('span', 'cell-lane', {}, lane === 'twilio' ? 'Twilio' : this.name(lane)));
    cell.append(told.details ? requestDetails(told) : element('span', 'cell-text', {}, told.text));
    if (told.recording) {
      cell.append(element('audio', '', { controls: '', preload: 'none', src: `/softphone/recordings/${told.recording}.wav`, 'data-testid': 'recording' }));
    }
    const column = lanes.indexOf(lane);
    cell.style.gridColumn = column < 0 ? '2 / -1' : String(column + 2);
    row.append(cell);
    this.box.append(row);
  }
}

function requestDetails(told) {
  const details = element('details', '', {});
  const summary = element('summary', '', {});
  summary.append(element('span', 'cell-text', {}, told.text), element('b', 'result', {}, told.result));
  details.append(summary);
  const rows = [[told.details.method || '', told.details.url || ''], ...Object.entries(told.details.params || {}).sort()];
  if (told.details.note) rows.unshift(['', told.details.note]);
  const list = element('dl', 'params', {});
  for (const [name, value] of rows) list.append(element('dt', '', {}, name), element('dd', '', {}, value));
  details.append(list);
  return details;
}

function element(name, className, attributes, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}
