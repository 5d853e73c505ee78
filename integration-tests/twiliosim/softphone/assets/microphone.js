// The microphone, as a WAV file that a telephone could carry.

const rate = 8000;

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

// listen begins to record; onLevel learns how loud it is, 0 to 1. stop() gives the WAV file.
export async function listen(onLevel) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const meter = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.min(1, Math.hypot(...samples) / Math.sqrt(samples.length) * 4));
  }, 80);
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.ondataavailable = (e) => pieces.push(e.data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  return {
    async stop() {
      clearInterval(meter);
      recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      try {
        const decoded = await context.decodeAudioData(await new Blob(pieces).arrayBuffer());
        const narrow = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * rate)), rate);
        const source = narrow.createBufferSource();
        source.buffer = decoded;
        source.connect(narrow.destination);
        source.start();
        return wav((await narrow.startRendering()).getChannelData(0));
      } finally {
        context.close();
      }
    },
  };
}

function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at, s) => [...s].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((s, i) => view.setInt16(44 + i * 2, Math.max(-1, Math.min(1, s)) * 32767, true));
  return view.buffer;
}
