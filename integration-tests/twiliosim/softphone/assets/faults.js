// Switches for what may go wrong.

import { ask } from './wire.js';

const kinds = [
  { id: 'webhook-lost', title: 'Webhook is lost', note: 'Twilio cannot reach the program when it asks what to do.', fault: { on: 'webhook', do: 'lose' } },
  { id: 'webhook-doubled', title: 'Webhook comes twice', note: 'The same question arrives two times.', fault: { on: 'webhook', do: 'double' } },
  { id: 'webhook-late', title: 'Webhook is late', note: 'It arrives five seconds after it should.', fault: { on: 'webhook', do: 'delay', delay_ns: 5e9 } },
  { id: 'rest-500', title: 'REST fails (500)', note: 'Twilio’s REST API has trouble of its own.', fault: { on: 'rest', do: 'status', status: 500 } },
  { id: 'rest-429', title: 'REST is too busy (429)', note: 'Too many requests: try again later.', fault: { on: 'rest', do: 'status', status: 429 } },
  { id: 'callback-lost', title: 'Status callback is lost', note: 'The program is not told how a call goes on.', fault: { on: 'callback', do: 'lose' } },
];
const choices = [['off', 'Off'], ['next', 'Next one'], ['every', 'Every one']];

export class Faults {
  constructor(list, state, clear, fail) {
    Object.assign(this, { list, state, fail, armed: [], timer: 0 });
    for (const kind of kinds) list.append(this.switchFor(kind));
    clear.addEventListener('click', () => this.change(() => ask('DELETE', '/sim/faults')));
  }

  switchFor(kind) {
    const box = document.createElement('fieldset');
    box.className = 'fault';
    box.dataset.testid = `fault-${kind.id}`;
    const title = document.createElement('legend');
    title.textContent = kind.title;
    const note = document.createElement('p');
    note.textContent = kind.note;
    const group = document.createElement('div');
    group.className = 'choices';
    for (const [value, words] of choices) {
      const label = document.createElement('label');
      const input = document.createElement('input');
      Object.assign(input, { type: 'radio', name: `fault-${kind.id}`, value, checked: value === 'off' });
      input.dataset.testid = `fault-${kind.id}-${value}`;
      input.addEventListener('change', () => this.change(() => this.set(kind, value)));
      const span = document.createElement('span');
      span.textContent = words;
      label.append(input, span);
      group.append(label);
    }
    const hits = document.createElement('p');
    hits.className = 'hits';
    box.append(title, note, group, hits);
    kind.box = box;
    return box;
  }

  async set(kind, value) {
    for (const fault of this.armed.filter((f) => fits(f, kind))) await ask('DELETE', `/sim/faults/${fault.id}`);
    if (value !== 'off') await ask('POST', '/sim/faults', { ...kind.fault, count: value === 'every' ? -1 : 1 });
  }

  async change(act) {
    try {
      await act();
    } catch (err) {
      this.fail(err.message);
    }
    await this.load();
  }

  // soon looks again after a request, which may have been disturbed.
  soon() {
    if (!this.armed.length || this.timer) return;
    this.timer = setTimeout(() => { this.timer = 0; this.load(); }, 400);
  }

  async load() {
    try {
      this.armed = (await ask('GET', '/sim/faults')).faults;
    } catch {
      return; // the connection's state says so already
    }
    let active = 0;
    for (const kind of kinds) {
      const fault = this.armed.findLast((f) => fits(f, kind));
      const left = fault && (fault.count < 0 || fault.hits < fault.count);
      const value = !left ? 'off' : (fault.count < 0 ? 'every' : 'next');
      if (left) active++;
      kind.box.querySelector(`[value="${value}"]`).checked = true;
      kind.box.classList.toggle('active', Boolean(left));
      kind.box.querySelector('.hits').textContent = fault?.hits ? `Happened ${fault.hits} ${fault.hits === 1 ? 'time' : 'times'}` : '';
    }
    this.state.textContent = active ? `${active} switched on` : 'Nothing is switched on';
    this.state.classList.toggle('active', active > 0);
  }
}

function fits(fault, kind) {
  return fault.on === kind.fault.on && fault.do === kind.fault.do && (fault.status || 0) === (kind.fault.status || 0);
}
