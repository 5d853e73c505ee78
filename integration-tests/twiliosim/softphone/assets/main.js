// The page: telephones, story, faults, held together by the event stream.

import { ask, follow } from './wire.js';
import { World } from './model.js';
import { number as format } from './words.js';
import { Phone, personPhone, showBehaviour } from './phone.js';
import { Timeline } from './timeline.js';
import { Faults } from './faults.js';
import * as sound from './sound.js';

const $ = (id) => document.getElementById(id);
const names = new Map(); // of people, by number
const nameOf = (n) => names.get(n) || format(n);
const world = new World(nameOf);
const people = new Map(); // telephones, by number
let caller; // the caller's telephone
let near; // the telephone at your ear
let chosen = ''; // SID of the caller's call that is shown; empty: the latest
let instance = '';
let ahead = 0; // the simulator's time minus ours
let sample = '';

const now = () => Date.now() + ahead;

function holdToEar(phone) {
  if (near === phone) return;
  near?.hold(false);
  near = phone;
  near.hold(true);
}

function phoneOf(number) {
  if (!people.has(number)) {
    const phone = personPhone({ number, name: nameOf(number), caller: false, sample, nameOf, use: () => holdToEar(phone) });
    people.set(number, phone);
    $('people').append(phone.root);
    $('nobody').hidden = true;
  }
  return people.get(number);
}

function shownCall() {
  const calls = world.inbound();
  const ours = calls.find((c) => c.sid === chosen);
  return ours?.live ? ours : calls.findLast((c) => c.live) || ours || calls.at(-1);
}

// Drawing happens at most once a frame, however many events come.
let frame = 0;
function redraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const call = shownCall();
    caller.update(call);
    for (const [number, phone] of people) phone.update(world.callOn(number));
    $('caller').classList.toggle('in-call', Boolean(call?.live));
    drawChoice(call);
    drawRinging();
    timeline.draw(world, call, $('engineers').checked);
    tick();
  });
}

function tick() {
  if (!connected) return;
  caller.tick(now());
  for (const phone of people.values()) phone.tick(now());
}

// drawChoice offers other calls while several last.
function drawChoice(call) {
  const live = world.inbound().filter((c) => c.live || c === call);
  const box = document.querySelector('.calls-choice');
  box.hidden = live.length < 2;
  if (box.hidden) return;
  $('call-choice').replaceChildren(...live.map((c) => new Option(`${format(c.from)}${c.live ? '' : ' (ended)'}`, c.sid, false, c === call)));
}

// drawRinging tells of telephones that ring out of sight, on small screens.
function drawRinging() {
  const ringing = [...people.values()].filter((p) => p.call?.ringing);
  sound.ring(ringing.some((p) => p.rings));
  const bar = $('ringing-bar');
  const key = ringing.map((p) => p.root.id).join();
  if (bar.dataset.key === key) return;
  bar.dataset.key = key;
  bar.hidden = !ringing.length;
  bar.replaceChildren(...ringing.map((p) => {
    const link = document.createElement('a');
    link.href = `#${p.root.id}`;
    link.textContent = `${p.name}’s phone rings. Go to it`;
    return link;
  }));
  $('announcement').textContent = ringing.map((p) => `${p.name}’s phone rings.`).join(' ');
  document.title = ringing.length ? `☎ ${ringing[0].name} rings` : 'Softphone · simulated Twilio';
}

// Events come in order, and are taken in one after the other.
let taking = Promise.resolve();
function take(event) {
  taking = taking.then(() => takeIn(event)).catch((err) => fail(err.message));
}

async function takeIn(event) {
  if (event.call && !world.calls.has(event.call)) world.add(await ask('GET', `/sim/calls/${event.call}`));
  const call = world.apply(event);
  if (call && !call.inbound) phoneOf(call.to);
  const passed = (now() - Date.parse(event.at)) / 1000;
  const fresh = passed < 1.5 || (event.duration_ns && passed < event.duration_ns / 1e9);
  if (call && fresh && connected) {
    const phone = call.inbound ? (call === shownCall() ? caller : null) : phoneOf(call.to);
    phone?.hear(event, Math.max(0, passed));
    if (event.kind === 'bridged' && call.inbound && near === caller) holdToEar(caller);
  }
  if (event.kind === 'webhook' || event.kind === 'callback' || event.kind === 'rest') faults.soon();
  redraw();
}

function fail(words) {
  $('banner').textContent = words;
  $('banner').hidden = false;
}

// The connection.
let connected = false;
const stateWords = { live: 'Connected', lost: 'Connection lost', gone: 'Not running' };
async function connection(state) {
  connected = state === 'live';
  document.body.dataset.connection = state;
  document.querySelector('main').inert = state === 'gone';
  $('connection').dataset.state = state;
  $('connection').textContent = stateWords[state];
  if (state === 'live') {
    try {
      const fresh = await ask('GET', '/softphone/state');
      if (instance && fresh.instance !== instance) {
        location.reload(); // another simulator, without the calls of this one
        return;
      }
      ahead = Date.parse(fresh.now) - Date.now();
    } catch { /* the next state says so */ }
    $('banner').hidden = true;
    loadBehaviours();
    faults.load();
    redraw();
    return;
  }
  sound.ring(false);
  for (const phone of [caller, ...people.values()]) phone.earpiece.flush();
  fail(state === 'lost' ? 'The connection to the simulator is lost. Trying again; nothing that happens meanwhile is missed.'
    : 'The simulator is not running any more. Start it again (twiliosim demo, or twiliosim serve): this page then begins anew.');
}

async function loadBehaviours() {
  try {
    for (const p of (await ask('GET', '/sim/phones')).phones) {
      if (people.has(p.number)) showBehaviour(people.get(p.number), p.behaviour);
    }
  } catch { /* the connection's state says so */ }
}

async function dial() {
  const problem = document.querySelector('.dial .problem');
  problem.hidden = true;
  const digits = (text) => text.replace(/[^\d+]/g, '');
  const from = $('withhold').checked ? 'anonymous' : digits($('from').value);
  try {
    if (from !== 'anonymous' && !/^\+[1-9]\d{4,14}$/.test(from)) throw new Error('Give the caller’s number as +12025550199, or withhold it.');
    const placed = await ask('POST', '/sim/calls', { from, to: digits($('to').value) });
    chosen = placed.sid;
    redraw();
  } catch (err) {
    problem.textContent = err.message.includes('does not have it') ? 'Nobody has this number. Choose one of the hotline’s.' : err.message;
    problem.hidden = false;
  }
}

function showSound() {
  $('sound').setAttribute('aria-pressed', String(sound.isOn()));
  $('sound').querySelector('span').textContent = sound.isOn() ? 'Sound on' : 'Sound off';
}

const timeline = new Timeline($('lanes'), $('no-story'), nameOf);
const faults = new Faults($('fault-list'), $('faults-state'), $('faults-clear'), fail);

async function start() {
  let known = { people: [], sample: '' };
  try {
    known = await ask('GET', '/softphone/state');
  } catch (err) {
    fail(err.message);
    setTimeout(() => location.reload(), 3000);
    return;
  }
  instance = known.instance;
  sample = known.sample;
  ahead = Date.parse(known.now) - Date.now();
  for (const p of known.people) names.set(p.number, nameWithPhone(p, known.people));
  caller = new Phone($('caller'), { number: '', name: 'Caller', caller: true, sample, nameOf, use: () => holdToEar(caller) });
  $('nobody').hidden = known.people.length > 0;
  for (const p of known.people) phoneOf(p.number);
  holdToEar(caller);
  for (const c of (await ask('GET', '/sim/calls')).calls) world.add(c);

  document.querySelector('.dial').addEventListener('submit', (e) => { e.preventDefault(); dial(); });
  $('withhold').addEventListener('change', () => { $('from').disabled = $('withhold').checked; });
  $('call-choice').addEventListener('change', (e) => { chosen = e.target.value; caller.earpiece.flush(); redraw(); });
  $('engineers').addEventListener('change', redraw);
  $('sound').addEventListener('click', () => { sound.switchSound(!sound.isOn()); showSound(); });
  sound.onBlocked(() => { $('sound').querySelector('span').textContent = 'Click for sound'; });
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => { if (sound.isOn()) { sound.unlock(); showSound(); } });
  addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input, select, textarea') || !/^[0-9*#]$/.test(e.key)) return;
    near?.press(e.key);
  });
  showSound();
  setInterval(tick, 500);
  follow(take, connection);
}

// nameWithPhone tells the several telephones of one person apart.
function nameWithPhone(person, all) {
  const same = all.filter((p) => p.name === person.name);
  return same.length > 1 ? `${person.name} ${same.indexOf(person) + 1}` : person.name;
}

start();
