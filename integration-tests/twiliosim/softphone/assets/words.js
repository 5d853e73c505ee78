// Events, numbers and times in plain words.

import { soundName, spokenWords } from './model.js';

export function number(text) {
  if (!text || text === 'anonymous' || text === '+266696687') return 'Withheld number';
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(text);
  return us ? `+1 ${us[1]}-${us[2]}-${us[3]}` : text;
}

export function initials(name) {
  return name.split(/\s+/).slice(0, 2).map((w) => w[0] || '').join('').toUpperCase();
}

export function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
}

export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

const callerStatus = {
  ringing: 'Dials the number', 'in-progress': 'Is answered by the hotline', completed: 'Call ends', busy: 'Is refused',
  failed: 'Call fails', 'no-answer': 'Gives up', canceled: 'Gives up',
};
const legStatus = {
  queued: 'Twilio is asked to call', ringing: 'Rings', 'in-progress': 'Answers', completed: 'Call ends', busy: 'Declines, or is busy',
  failed: 'Cannot be reached', 'no-answer': 'Does not answer', canceled: 'Stops ringing',
};
const left = {
  bridged: 'Stops waiting: connected', hangup: 'Stops waiting: hung up', leave: 'Stops waiting', redirected: 'Stops waiting',
  error: 'Stops waiting: something went wrong', 'queue-full': 'Cannot wait: the queue is full',
};

// story tells an event: text for everybody, or only for engineers; undefined: nothing worth telling.
export function story(event, call, nameOf) {
  const tell = (text, look = '') => ({ text, look });
  switch (event.kind) { // what is heard of the other person stands in the other person's column
    case 'status': return tell((call.inbound ? callerStatus : legStatus)[event.text] || event.text, 'status');
    case 'said': return tell(`“${event.text}”`, 'heard');
    case 'played': return tell(`♪ ${soundName(event.url)}`, 'heard');
    case 'tone': return tell(event.text === 'ringing' ? '♪ ringing tone' : `♪ tone ${event.text}`, 'heard');
    case 'beep': return tell('♪ beep', 'heard');
    case 'pressed': return tell(`Presses ${event.text}${event.note ? ` (${event.note})` : ''}`, 'does');
    case 'spoke': return tell(event.note ? spokenWords(event).replace(/[()]/g, '').replace('speaks', 'Speaks') : `Says “${event.text}”`, 'does');
    case 'bridged': return tell(`Talks to ${nameOf(event.peer)}`, 'joined');
    case 'unbridged': return tell(`No longer talks to ${nameOf(event.peer)}`, 'status');
    case 'queued': return tell('Waits', 'status');
    case 'dequeued': return tell(left[event.note] || `Stops waiting: ${event.note}`, 'status');
    case 'recording': return recording(event);
    case 'problem': return tell(`Twilio reports ${event.code || 'a problem'}: ${event.text}`, 'wrong');
    case 'script': return event.note === 'failed' ? tell(`The script failed: ${event.text}`, 'wrong') : undefined;
    case 'webhook':
    case 'callback':
    case 'media':
    case 'rest': return request(event);
    default: return undefined;
  }
}

function recording(event) {
  switch (event.text) {
    case 'in-progress': return { text: 'Is being recorded', look: 'does' };
    case 'completed': return { text: 'The recording is ready', look: 'joined', recording: event.note };
    case 'absent': return { text: 'There is no recording: nothing was said', look: 'status' };
    default: return undefined;
  }
}

const requestNames = { webhook: 'Twilio asks what to do', callback: 'Twilio tells the program', media: 'Twilio fetches a sound', rest: 'The program asks Twilio' };

function request(event) {
  let path = event.url || '';
  try {
    const u = new URL(event.url);
    path = u.pathname.replace(/CA[0-9a-f]{32}/g, 'CA…').replace(/^\/integrations\/[^/]+/, '…') || '/';
  } catch {
    path = path.replace(/^\/2010-04-01\/Accounts\/AC[^/]+/, '');
  }
  const failed = !event.status || event.status >= 400;
  return {
    text: `${requestNames[event.kind]}: ${event.method} ${path}`,
    result: event.status ? String(event.status) : 'no answer',
    look: failed ? 'request wrong' : 'request',
    engineers: !failed || event.kind === 'rest',
    details: event,
  };
}
