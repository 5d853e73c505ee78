// Requests to the simulator, and its event stream.

// ask makes a request; it throws an Error with words for people.
export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof ArrayBuffer) {
    options.body = body;
    options.headers['Content-Type'] = 'audio/wav';
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('The simulator does not answer.');
  }
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    answer = { error: text };
  }
  if (!response.ok) throw new Error(answer.error || `The simulator says ${response.status}.`);
  return answer;
}

const goneAfter = 8000; // milliseconds without a connection until the simulator counts as gone

// follow hands every event to onEvent, from the first one on, once each and in order; onState learns "live", "lost" and
// "gone". A stream that breaks is taken up where it ended: by the browser with Last-Event-ID, or else by number.
export function follow(onEvent, onState) {
  let last = 0;
  let goneTimer = 0;
  const state = (name) => {
    if (name === 'live') {
      clearTimeout(goneTimer);
      goneTimer = 0;
    } else if (!goneTimer) {
      goneTimer = setTimeout(() => onState('gone'), goneAfter);
    } else {
      return; // it is known already
    }
    onState(name);
  };
  const open = () => {
    const stream = new EventSource(`/sim/events?after=${last}`);
    stream.onopen = () => state('live');
    stream.onmessage = (message) => {
      const event = JSON.parse(message.data);
      if (event.seq <= last) return;
      last = event.seq;
      onEvent(event);
    };
    stream.onerror = () => {
      state('lost');
      if (stream.readyState === EventSource.CLOSED) { // the browser has given up
        stream.close();
        setTimeout(open, 2000);
      }
    };
    addEventListener('pagehide', () => stream.close(), { once: true });
  };
  open();
}
