// What is heard: prompts, files, tones. Each telephone has an earpiece; the one at your ear is loud, the others are faint.

const faint = 0.08;
const dtmf = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477], '*': [941, 1209], 0: [941, 1336], '#': [941, 1477],
};

let context;
let on = localStorage.getItem('softphone-sound') !== 'off';
let blocked = () => {};

// unlock is for a moment in which somebody has touched the page: browsers allow no sound before.
export function unlock() {
  context ??= new AudioContext();
  if (context.state === 'suspended') context.resume();
}

export function onBlocked(tell) { blocked = tell; }
export function isOn() { return on; }

export function switchSound(wanted) {
  on = wanted;
  localStorage.setItem('softphone-sound', on ? 'on' : 'off');
  if (on) unlock();
  for (const e of earpieces) e.adjust();
  ringer.adjust();
}

// tone plays frequencies together; it returns what stops them.
function tone(frequencies, seconds, loudness, warble = 0) {
  if (!context || context.state !== 'running') return { stop() {}, set() {} };
  const gain = context.createGain();
  const now = context.currentTime;
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(loudness, now + 0.015);
  gain.gain.setValueAtTime(loudness, now + seconds - 0.03);
  gain.gain.linearRampToValueAtTime(0, now + seconds);
  gain.connect(context.destination);
  const sources = frequencies.map((frequency) => {
    const o = context.createOscillator();
    o.frequency.value = frequency;
    o.connect(gain);
    o.start(now);
    o.stop(now + seconds);
    return o;
  });
  if (warble) {
    const lfo = context.createOscillator();
    const depth = context.createGain();
    lfo.frequency.value = warble;
    depth.gain.value = 40;
    lfo.connect(depth);
    for (const o of sources) depth.connect(o.frequency);
    lfo.start(now);
    lfo.stop(now + seconds);
  }
  return { stop() { gain.disconnect(); } };
}

export function pressTone(key) {
  if (on && dtmf[key]) tone(dtmf[key], 0.14, 0.09);
}

// Pattern repeats a tone until it is stopped.
class Pattern {
  constructor(frequencies, seconds, every, loudness, warble) {
    Object.assign(this, { frequencies, seconds, every, loudness, warble, playing: null, timer: 0 });
  }

  run(wanted) {
    if (wanted === Boolean(this.timer)) return;
    clearInterval(this.timer);
    this.timer = 0;
    this.playing?.stop();
    if (!wanted) return;
    const once = () => { if (on) this.playing = tone(this.frequencies, this.seconds, this.loudness, this.warble); };
    this.timer = setInterval(once, this.every * 1000);
    once();
  }

  adjust() { if (!on) this.playing?.stop(); }
}

const ringer = new Pattern([660, 880], 1.3, 3, 0.07, 18);
const ringback = new Pattern([440, 480], 1.6, 4, 0.035);
export const ring = (wanted) => ringer.run(wanted);

const earpieces = new Set();

// Earpiece is what one telephone lets you hear: one thing after the other.
export class Earpiece {
  constructor() {
    this.queue = [];
    this.current = null;
    this.near = false;
    earpieces.add(this);
  }

  get volume() { return on ? (this.near ? 1 : faint) : 0; }

  hold(near) {
    this.near = near;
    this.adjust();
  }

  adjust() {
    if (this.current?.element) this.current.element.volume = this.volume;
    if (this.current?.utterance && this.volume < 1) this.skip();
  }

  // say: words that take seconds, of which some have passed already.
  say(text, language, seconds, passed, person) {
    this.push({ text, language, seconds, passed, person, src: `/tts?${new URLSearchParams({ text, lang: language, who: person ? 'person' : '' })}` });
  }

  play(url, seconds, passed) { this.push({ seconds, passed, src: `/media?${new URLSearchParams({ url })}` }); }

  beep() { this.push({ seconds: 0.45, passed: 0, tones: [1000] }); }

  ringing(wanted) { ringback.run(wanted); }

  push(item) {
    if (item.passed > item.seconds) return;
    this.ringing(false);
    this.queue.push(item);
    if (!this.current) this.next();
    else if (this.queue.length > 1) this.skip(); // too far behind
  }

  next() {
    const item = this.queue.shift() || null;
    this.current = item;
    if (!item) return;
    const voice = item.text && this.volume === 1 && browserVoice(item.language);
    if (voice) this.utter(item, voice);
    else if (item.src) this.load(item);
    else this.synthesize(item);
  }

  done(item) {
    if (this.current !== item) return;
    this.current = null;
    this.next();
  }

  utter(item, voice) {
    const u = new SpeechSynthesisUtterance(item.text);
    u.voice = voice;
    u.lang = voice.lang;
    u.rate = 1.1;
    u.onend = () => this.done(item);
    u.onerror = () => { if (this.current === item) { item.utterance = null; this.load(item); } };
    item.utterance = u;
    speechSynthesis.speak(u);
  }

  load(item) {
    const element = new Audio(item.src);
    item.element = element;
    element.volume = this.volume;
    element.onloadedmetadata = () => {
      const length = element.duration;
      if (!Number.isFinite(length)) return;
      if (item.text) element.playbackRate = Math.min(1.35, Math.max(1, length / item.seconds));
      if (item.passed > 0.7 && item.passed < length) element.currentTime = item.passed;
    };
    element.onended = () => this.done(item);
    element.onerror = () => { if (this.current === item && item.element) { item.element = null; this.synthesize(item); } };
    element.play().catch((err) => {
      if (err.name === 'NotAllowedError') {
        blocked();
        this.done(item);
      }
    });
  }

  // synthesize is a beep, or a soft chord where a sound cannot be had.
  synthesize(item) {
    const seconds = Math.max(0.2, Math.min(item.seconds - item.passed, 20));
    item.tone = tone(item.tones || [262, 330, 392], seconds, (item.tones ? 0.1 : 0.02) * this.volume);
    item.timer = setTimeout(() => this.done(item), seconds * 1000);
  }

  stop(item) {
    if (!item) return;
    clearTimeout(item.timer);
    item.tone?.stop();
    if (item.element) {
      const element = item.element;
      item.element = null;
      element.pause();
      element.removeAttribute('src');
    }
    if (item.utterance) {
      item.utterance = null;
      speechSynthesis.cancel();
    }
  }

  skip() {
    const item = this.current;
    this.current = null;
    this.stop(item);
    this.next();
  }

  // flush: the line went silent.
  flush() {
    this.queue = [];
    const item = this.current;
    this.current = null;
    this.stop(item);
    this.ringing(false);
  }
}

// browserVoice is a voice of the browser for a language; undefined where it has none.
function browserVoice(language) {
  if (!('speechSynthesis' in window)) return undefined;
  const voices = speechSynthesis.getVoices();
  const base = language.split('-')[0].toLowerCase();
  return voices.find((v) => v.lang.replace('_', '-').toLowerCase() === language.toLowerCase())
    || voices.find((v) => v.lang.toLowerCase().startsWith(base));
}
