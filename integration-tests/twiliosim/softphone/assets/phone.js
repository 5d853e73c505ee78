// One telephone on the page: what it shows, and what its buttons do.

import { ask } from './wire.js';
import { initials, number as format, span } from './words.js';
import { Earpiece, pressTone } from './sound.js';
import * as microphone from './microphone.js';

const shownLines = 40;

const endings = {
  completed: 'Call ended', busy: 'Declined, or busy', failed: 'Could not be reached', 'no-answer': 'Not answered', canceled: 'Stopped ringing',
};

export class Phone {
  // root is the telephone's element; use is called when somebody uses it; sample is what the sample message says.
  constructor(root, { number, name, caller, use, sample, nameOf }) {
    Object.assign(this, { root, number, name, caller, sample, nameOf, call: null, drawn: null, lines: 0, mic: null, silenced: '' });
    this.earpiece = new Earpiece();
    const find = (selector) => root.querySelector(selector);
    this.el = {
      state: find('.state'), timer: find('.timer'), with: find('.with'), captions: find('.captions'), pad: find('.pad'), talk: find('.talk'),
      answer: find('.answer'), decline: find('.decline'), silence: find('.silence'), end: find('.end'), keys: find('.keys'), ear: find('.ear'), mic: find('.mic'),
      level: find('.level'), words: find('.words'), note: find('.talk-note'), title: find('.talk-title'),
    };
    this.el.captions.setAttribute('aria-label', `What ${caller ? 'the caller' : name} hears and does`);
    root.addEventListener('pointerdown', use);
    root.addEventListener('focusin', (e) => { if (e.target.matches(':focus-visible')) use(); });
    this.el.ear.addEventListener('click', use);
    for (const key of this.el.pad.querySelectorAll('.key')) {
      key.addEventListener('click', () => this.press(key.dataset.key));
    }
    this.on(this.el.answer, () => this.act('answer'));
    this.on(this.el.decline, () => this.act('decline'));
    this.on(this.el.silence, () => { this.silenced = this.call?.sid; this.update(this.call); });
    this.on(this.el.keys, () => {
      const open = root.classList.toggle('with-keys');
      this.el.keys.setAttribute('aria-expanded', String(open));
    });
    this.on(this.el.end, () => this.hangUp());
    this.on(this.el.mic, () => (this.mic ? this.stopMicrophone() : this.startMicrophone()));
    this.on(find('.sample'), () => this.say(this.sample));
    this.el.talk.addEventListener('submit', (e) => {
      e.preventDefault();
      const words = this.el.words.value.trim();
      if (!words) return;
      this.el.words.value = '';
      this.guard(() => this.say(words));
    });
    if (!microphone.possible()) {
      this.el.mic.disabled = true;
      this.el.mic.title = 'Browsers allow the microphone at 127.0.0.1 and over https alone';
    }
  }

  on(button, act) { button?.addEventListener('click', () => this.guard(act)); }

  // guard shows what went wrong where it was done.
  async guard(act) {
    this.el.note.textContent = '';
    try {
      await act();
    } catch (err) {
      this.el.note.textContent = err.message;
    }
  }

  act(what, body) { return this.call ? ask('POST', `/sim/calls/${this.call.sid}/${what}`, body) : undefined; }

  async press(key) {
    if (!this.call?.talking) return;
    pressTone(key);
    const button = this.el.pad.querySelector(`[data-key="${CSS.escape(key)}"]`);
    button.classList.add('pressed');
    setTimeout(() => button.classList.remove('pressed'), 160);
    await this.guard(async () => {
      await this.stopMicrophone();
      await this.act('press', { keys: key });
    });
  }

  async hangUp() {
    await this.stopMicrophone();
    await this.act('hangup');
  }

  async say(words) {
    await this.stopMicrophone();
    if (this.call) await ask('POST', `/softphone/calls/${this.call.sid}/say`, { words });
  }

  async startMicrophone() {
    if (!this.call?.talking) return;
    const call = this.call;
    try {
      this.mic = await microphone.listen((level) => { this.el.level.value = level; });
    } catch (err) {
      throw new Error(err.name === 'NotFoundError' ? 'There is no microphone here: send the sample message, or type.'
        : 'The microphone may not be used: allow it in the browser, send the sample message, or type.');
    }
    this.mic.sid = call.sid;
    this.showMicrophone();
    await ask('POST', `/sim/calls/${call.sid}/speech`);
  }

  async stopMicrophone() {
    const mic = this.mic;
    if (!mic) return;
    this.mic = null;
    this.showMicrophone();
    await ask('PUT', `/sim/calls/${mic.sid}/speech`, await mic.stop());
  }

  showMicrophone() {
    const speaking = Boolean(this.mic);
    this.el.mic.setAttribute('aria-pressed', String(speaking));
    this.el.mic.querySelector('span').textContent = speaking ? 'Stop and send' : 'Microphone';
    this.el.level.hidden = !speaking;
  }

  // hear is what an event sounds like at this telephone. passed: seconds since it began.
  hear(event, passed) {
    const seconds = (event.duration_ns || 0) / 1e9;
    switch (event.kind) {
      case 'said': this.earpiece.say(event.text, (event.note || '').split(' ').pop() || 'en-US', seconds, passed, false); break;
      case 'heard': if (event.note !== 'microphone') this.earpiece.say(event.text, 'en-US', seconds, passed, true); break;
      case 'played': this.earpiece.play(event.url, seconds, passed); break;
      case 'beep': this.earpiece.flush(); this.earpiece.beep(); break;
      case 'tone':
        if (event.text === 'ringing') this.earpiece.ringing(true);
        else for (const key of event.text) pressTone(key);
        break;
      case 'pressed': if (!event.note) this.earpiece.flush(); break;
      case 'bridged': case 'unbridged': case 'dequeued': this.earpiece.flush(); break;
      case 'status':
        this.earpiece.flush();
        if (this.caller && event.text === 'ringing') this.earpiece.ringing(true);
        break;
      default:
    }
  }

  hold(near) {
    this.earpiece.hold(near);
    this.el.ear.setAttribute('aria-pressed', String(near));
    this.root.classList.toggle('near', near);
  }

  get rings() { return Boolean(this.call?.ringing) && this.silenced !== this.call.sid; }

  // update draws the telephone as its call is now; undefined: it has none.
  update(call) {
    if (call !== this.call) {
      this.call = call;
      this.lines = 0;
      this.el.captions.replaceChildren();
    }
    if (this.mic && (!call || call.sid !== this.mic.sid || !call.talking || (this.drawn?.recording && !call.recording))) {
      this.guard(() => this.stopMicrophone());
    }
    const phase = this.phase(call);
    this.root.dataset.phase = phase;
    this.drawn = { recording: call?.recording };
    this.el.state.textContent = this.stateWords(call, phase);
    this.el.with.textContent = this.withWords(call, phase);
    const talking = Boolean(call?.talking);
    this.el.pad.hidden = !talking;
    for (const key of this.el.pad.querySelectorAll('.key')) key.disabled = !talking;
    this.el.talk.hidden = !talking || !(call.talksTo || call.recording);
    this.el.title.textContent = call?.recording ? 'Speak, then press #' : 'Say something';
    this.show(this.el.end, this.caller ? Boolean(call?.live) : talking);
    this.show(this.el.keys, phase === 'talking');
    this.show(this.el.answer, phase === 'ringing');
    this.show(this.el.decline, phase === 'ringing');
    this.show(this.el.silence, phase === 'ringing' && this.rings);
    this.drawCaptions(call);
    this.tick(Date.now());
  }

  // show hides or shows a button; the focus does not get lost with it.
  show(button, wanted) {
    if (!button || button.hidden === !wanted) return;
    const focused = button === document.activeElement;
    button.hidden = !wanted;
    if (focused && !wanted) (this.el.end.hidden ? this.root : this.el.end).focus({ preventScroll: true });
  }

  phase(call) {
    if (!call || !call.status) return 'idle';
    if (!call.live) return 'over';
    if (call.ringing) return 'ringing';
    if (!call.talking) return 'dialing';
    if (call.recording) return 'recording';
    return call.talksTo ? 'talking' : 'listening';
  }

  stateWords(call, phase) {
    switch (phase) {
      case 'idle': return 'Ready';
      case 'over': return this.caller ? 'Call ended' : endings[call.status];
      case 'ringing': return 'Rings';
      case 'dialing': return this.caller ? 'Dialing' : 'About to ring';
      case 'recording': return 'Recording';
      case 'talking': return 'Talking';
      default: return call.queued ? 'On hold' : 'In call';
    }
  }

  withWords(call, phase) {
    if (phase === 'idle') return '';
    if (phase === 'over') return this.caller ? '' : (call.talked ? `· talked ${span(call.ended - call.answered)}` : '');
    if (call.talksTo) return `with ${this.nameOf(call.talksTo)}`;
    return this.caller ? format(call.to) : `from ${format(call.from)}`;
  }

  // tick moves the clock of the call. now: the simulator's time.
  tick(now) {
    const call = this.call;
    const since = call?.live ? (call.recording || call.answered) : 0;
    this.el.timer.textContent = since ? span(now - since) : '';
  }

  drawCaptions(call) {
    const box = this.el.captions;
    const all = call && (call.live || this.caller) ? call.captions : [];
    if (!all.length) box.replaceChildren();
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    for (; this.lines < all.length; this.lines++) {
      const line = all[this.lines];
      const p = document.createElement('p');
      p.className = `line ${line.side} ${line.kind}`;
      if (line.who) {
        const who = document.createElement('b');
        who.textContent = `${line.who}: `;
        p.append(who);
      }
      const spoken = line.side === 'out' && line.kind === 'keys' ? 'Pressed ' : '';
      p.append(spoken + line.text);
      box.append(p);
    }
    while (box.children.length > shownLines) box.firstChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}

const behaviours = {
  ring: { behaviour: 'ring' },
  take: { behaviour: 'answer', after_ms: 3000, hear: '1', keys: '1' },
  pass: { behaviour: 'answer', after_ms: 3000, hear: '1', keys: '2' },
  mailbox: { behaviour: 'mailbox', after_ms: 6000 },
  busy: { behaviour: 'busy' },
  unreachable: { behaviour: 'unreachable' },
};

// personPhone makes the telephone of somebody on call from its template.
export function personPhone(settings) {
  const root = document.getElementById('phone-template').content.firstElementChild.cloneNode(true);
  root.id = `phone-${settings.number.replace('+', '')}`;
  root.dataset.number = settings.number;
  root.querySelector('.name').textContent = settings.name;
  root.querySelector('.number').textContent = settings.name === format(settings.number) ? '' : format(settings.number);
  root.querySelector('.avatar').textContent = /^[+\d]/.test(settings.name) ? '?' : initials(settings.name);
  root.setAttribute('aria-label', `Phone of ${settings.name}`);
  const phone = new Phone(root, settings);
  phone.behaviour = root.querySelector('.behaviour select');
  phone.behaviour.addEventListener('change', () => phone.guard(() => ask('PUT', `/sim/phones/${settings.number}`,
    { number: settings.number, ...behaviours[phone.behaviour.value] })));
  return phone;
}

// showBehaviour tells how a telephone was set, perhaps by another program.
export function showBehaviour(phone, words) {
  const guess = /^mailbox/.test(words) ? 'mailbox' : /presses 1$/.test(words) ? 'take' : /presses 2$/.test(words) ? 'pass' : words;
  phone.behaviour.value = guess in behaviours ? guess : 'other';
}
