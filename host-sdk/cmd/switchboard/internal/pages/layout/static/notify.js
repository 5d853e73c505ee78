// Tells the person on call of a new alert by a notification and a sound, in a browser in which they
// allowed it. One tab of the browser does it, also while it is hidden; the others hold no connection then.
"use strict";
(() => {
  const { me, alerts } = document.body.dataset;
  const button = document.getElementById("notify-switch");
  // Browsers offer both on https and on this machine alone.
  if (!me || !("Notification" in window) || !navigator.locks) return;
  const name = "switchboard-notify";
  const wanted = () => Notification.permission === "granted" && localStorage.getItem(name) === me;

  let sound;
  const ring = () => {
    try {
      sound ??= new AudioContext();
      sound.resume();
      for (const [i, pitch] of [880, 660, 880].entries()) {
        const tone = sound.createOscillator(), volume = sound.createGain(), at = sound.currentTime + i * 0.25;
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.2, at);
        volume.gain.exponentialRampToValueAtTime(0.001, at + 0.22);
        tone.connect(volume).connect(sound.destination);
        tone.start(at);
        tone.stop(at + 0.22);
      }
    } catch { /* no sound here: the notification is seen */ }
  };

  let give; // lets another tab do it
  const take = () => {
    if (give || !wanted()) return;
    navigator.locks.request(name, () => new Promise((done) => {
      give = done;
      document.body.dataset.kept = "1";
      document.dispatchEvent(new Event("visibilitychange")); // a hidden tab listens from now on
    }));
  };
  const end = () => {
    if (give) give();
    give = undefined;
    delete document.body.dataset.kept;
  };

  const told = new Set();
  document.addEventListener("alert-changed", (e) => {
    if (!give || !wanted()) return;
    const alert = JSON.parse(e.detail);
    const once = [alert.id, alert.round, alert.layer].join();
    if (alert.status !== "open" || !alert.paged?.includes(me) || told.has(once)) return;
    told.add(once);
    ring();
    try {
      const teams = alert.teams.map((t) => t.name).join(", ");
      const note = new Notification(alert.title, { body: teams, tag: alert.id, requireInteraction: true });
      note.addEventListener("click", () => {
        window.focus();
        location.href = alerts + encodeURIComponent(alert.id);
        note.close();
      });
    } catch { /* a browser that notifies from a service worker alone: the sound is heard */ }
  });

  const show = () => {
    if (!button) return;
    button.parentElement.hidden = false;
    button.setAttribute("aria-pressed", String(wanted()));
    button.textContent = Notification.permission === "denied" ? "Notifications are blocked in this browser" : wanted() ? "Do not notify me in this browser" : "Notify me in this browser";
    button.disabled = Notification.permission === "denied";
  };
  button?.addEventListener("click", async () => {
    if (wanted()) {
      localStorage.removeItem(name);
      end();
    } else if ((await Notification.requestPermission()) === "granted") {
      localStorage.setItem(name, me);
      ring(); // this is how it sounds
      take();
    }
    show();
  });
  addEventListener("storage", (e) => { // another tab was told
    if (e.key !== name) return;
    if (wanted()) take(); else end();
    show();
  });
  show();
  take();
})();
