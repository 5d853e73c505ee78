// Package softphone is the page of the simulator: telephones in a browser. A caller's telephone
// places calls, one for each person on call rings and can be answered; prompts are heard and shown
// as captions, keys are pressed, voicemail is spoken into a microphone. Beside them stand the story
// of the call, the webhooks behind it, and switches for faults.
//
// The browser drives the simulator by its control API (/sim/…) alone and follows its event stream;
// nothing comes from elsewhere, and the content security policy says so.
//
//	softphone.go  Config, Page: routes and headers
//	shell.go      the page, its style sheet and scripts, what they need to know
//	voice.go      words to sound: espeak-ng where it is installed, else a soft murmur
//	speech.go     /tts, and what people say by typing
//	media.go      sound files that calls play, and recordings
//	assets/       page.html (templates of phones in it), style.css, and the scripts, in order of dependence:
//	              wire.js (requests, event stream), model.js (calls, built from events), words.js (events in plain words),
//	              sound.js, microphone.js, phone.js (one telephone), timeline.js, faults.js, main.js
package softphone
