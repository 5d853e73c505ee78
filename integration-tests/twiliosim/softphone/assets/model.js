// What is known of calls, made from the simulator's events alone.

const over = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

// Call is one leg.
class Call {
  constructor(view) {
    this.sid = view.sid;
    this.from = view.from;
    this.to = view.to;
    this.inbound = view.direction === 'inbound';
    this.person = this.inbound ? view.from : view.to; // the telephone at its far end
    this.caller = view.parent_sid || ''; // SID of the caller's call it was made for, as far as known
    this.created = Date.parse(view.created);
    this.status = '';
    this.answered = 0;
    this.ended = 0;
    this.talksTo = '';
    this.queued = false;
    this.recording = 0; // since when
    this.recordings = []; // SIDs that can be heard
    this.talked = false;
    this.captions = [];
  }

  get live() { return !over.has(this.status); }
  get talking() { return this.status === 'in-progress'; }
  get ringing() { return !this.inbound && this.status === 'ringing'; }

  caption(side, kind, text, who = '') {
    const last = this.captions.at(-1);
    if (kind === 'music' && last && last.kind === 'music') { // hold music comes in pieces
      return;
    }
    this.captions.push({ side, kind, text, who });
  }
}

export class World {
  constructor(nameOf) {
    this.calls = new Map(); // by SID, oldest first
    this.events = [];
    this.nameOf = nameOf;
  }

  add(view) {
    if (!this.calls.has(view.sid)) this.calls.set(view.sid, new Call(view));
    return this.calls.get(view.sid);
  }

  // apply takes an event in; the call it belongs to must be known.
  apply(event) {
    this.events.push(event);
    const call = this.calls.get(event.call);
    if (!call) return undefined;
    const at = Date.parse(event.at);
    switch (event.kind) {
      case 'status': this.status(call, event.text, at); break;
      case 'said': call.caption('in', 'speech', event.text); break;
      case 'heard': call.caption('in', 'speech', spokenWords(event), this.nameOf(event.peer)); break;
      case 'played': call.caption('in', 'music', `♪ ${soundName(event.url)}`); break;
      case 'tone': call.caption('in', 'note', event.text === 'ringing' ? '♪ ringing tone' : `♪ tone ${event.text}`); break;
      case 'beep': call.caption('in', 'note', '♪ beep'); break;
      case 'pressed': call.caption('out', 'keys', event.text + (event.note ? ` (${event.note})` : '')); break;
      case 'spoke': call.caption('out', 'speech', spokenWords(event)); break;
      case 'bridged':
        call.talksTo = event.peer;
        call.talked = true;
        call.caption('note', 'note', `Connected with ${this.nameOf(event.peer)}`);
        break;
      case 'unbridged':
        call.caption('note', 'note', `${this.nameOf(event.peer)} is off the line`);
        call.talksTo = '';
        break;
      case 'queued': call.queued = true; break;
      case 'dequeued': call.queued = false; break;
      case 'recording': this.recording(call, event, at); break;
      case 'webhook':
      case 'callback': this.relate(call, event.url); break;
      default:
    }
    return call;
  }

  status(call, status, at) {
    call.status = status;
    if (status === 'in-progress') call.answered = at;
    if (over.has(status)) {
      call.ended = at;
      call.talksTo = '';
      call.queued = false;
      call.recording = 0;
      call.caption('note', 'note', 'Call ended');
    }
  }

  recording(call, event, at) {
    switch (event.text) {
      case 'in-progress': call.recording = at; break;
      case 'completed': call.recordings.push(event.note); // falls through
      default: call.recording = 0;
    }
  }

  // relate finds the caller's call of a leg: programs name it in the addresses they give for the leg.
  relate(call, url = '') {
    if (call.inbound || call.caller) return;
    for (const sid of url.match(/CA[0-9a-f]{32}/g) || []) {
      if (this.calls.get(sid)?.inbound) call.caller = sid;
    }
  }

  inbound() { return [...this.calls.values()].filter((c) => c.inbound); }

  // legsOf are the calls made for a caller's call; of unknown ones, those that were made while it lasted.
  legsOf(caller) {
    return [...this.calls.values()].filter((c) => !c.inbound && (c.caller ? c.caller === caller.sid
      : c.created >= caller.created && (caller.live || c.created <= caller.ended)));
  }

  // callOn is the call that a telephone shows: one that lasts, else the latest.
  callOn(number) {
    const calls = [...this.calls.values()].filter((c) => !c.inbound && c.to === number);
    return calls.findLast((c) => c.talking) || calls.findLast((c) => c.live) || calls.at(-1);
  }
}

// spokenWords: of what was said into a microphone, only the length is known.
export function spokenWords(event) {
  return event.note === 'microphone' ? `(speaks for ${Math.max(1, Math.round((event.duration_ns || 0) / 1e9))} s)` : event.text;
}

export function soundName(url = '') {
  let name = url;
  try {
    name = decodeURIComponent(new URL(url).pathname.split('/').pop()) || 'music';
  } catch { /* not an address: shown as it is */ }
  return /music|hold/i.test(name) ? 'music' : name;
}
