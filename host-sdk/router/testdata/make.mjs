// Makes sift.json, regex.json and moment.json: what sift, the regular expressions of the machine's Node and moment-timezone
// answer. Run it in a folder where sift 17.1.4 and moment-timezone are installed: node make.mjs FOLDER-OF-THE-ROUTER-PACKAGE
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const sift = require("sift").default;
const moment = require("moment-timezone");
const target = process.argv[2];

// A small generator of its own, so that the files are the same on every run.
let state = 20260105;
const random = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(((state ^ (state >>> 15)) >>> 0) / 4294967296 * n); };
const pick = (list) => list[random(list.length)];

const write = (name, cases) => writeFileSync(`${target}/testdata/${name}`, "[\n" + cases.map((c) => JSON.stringify(c)).join(",\n") + "\n]\n");

// --- sift
const scalars = [null, true, false, 0, 1, 2, 5, -3, 2.5, "", "5", "1", "a", "b", "ab", "high"];
const values = [...scalars, [], [1, 2], [2, 1], ["a", "b"], [null], [[1, 2], [3]], [{ b: 1 }, { b: 2 }], [{ b: [1, 5] }, { c: 1 }], {}, { b: 1 }, { b: null },
  { b: { c: 5 } }, { b: [1, { c: 2 }] }, { c: "a", b: 1 }, [{ label: "x", value: 1 }, { label: "y", value: 2 }], [[{ b: 1 }]], { b: ["a", "ab"] }];
const paths = ["alert.a", "alert.a.b", "alert.a.b.c", "alert.a.0", "alert.a.1.b", "alert.a.5", "alert.z", "alert.a.length", "alert.a.0.0", "alert.a.value"];
const literals = [...values];
const scalar = () => pick(scalars);
const literal = () => pick(literals);
const list = (make, n = 3) => Array.from({ length: random(n) + 1 }, make);
const operators = {
  $eq: literal, $ne: literal, $gt: scalar, $gte: scalar, $lt: scalar, $lte: scalar,
  $in: () => (random(4) ? list(literal) : scalar()), $nin: () => (random(4) ? list(literal) : scalar()),
  $exists: () => random(2) === 1, $mod: () => [pick([2, 3, -2, 2.5]), pick([0, 1, -1])], $size: () => random(4),
  $type: () => pick(["number", "string", "bool", "array", "null", "timestamp"]), $regex: () => pick(["a", "^a$", "b|5", "."]),
  $all: () => list(() => (random(3) ? scalar() : { $elemMatch: value(1) })), $elemMatch: () => value(1), $not: () => (random(3) ? value(1) : scalar()),
};
const value = (depth) => {
  if (depth > 2) return { $eq: scalar() };
  const out = {};
  for (let i = 0; i <= random(2); i++) {
    if (depth && random(4) === 0) { out[pick(["b", "b.c", "c", "label", "value"])] = random(2) ? literal() : condition(depth + 1); continue; }
    const op = pick(Object.keys(operators));
    out[op] = op === "$not" || op === "$elemMatch" ? value(depth + 1) : operators[op]();
  }
  return out;
};
const condition = (depth) => {
  const out = {};
  for (let i = 0; i <= random(2); i++) {
    const op = pick(Object.keys(operators));
    out[op] = op === "$not" || op === "$elemMatch" ? value(depth + 1) : operators[op]();
  }
  return out;
};
const query = (depth) => {
  const out = {};
  for (let i = 0; i <= random(2); i++) {
    const kind = random(8);
    if (depth < 3 && kind === 0) out[pick(["$and", "$or", "$nor"])] = list(() => query(depth + 1));
    else if (depth < 3 && kind === 1) out.$not = query(depth + 1);
    else out[pick(paths)] = random(2) ? literal() : condition(0);
  }
  return out;
};
const answer = (q, facts) => { try { return sift(q)(facts); } catch { return "error"; } };
const siftCases = [];
for (let i = 0; i < 5000; i++) {
  const q = query(0), facts = { alert: random(12) ? { a: literal() } : pick([null, {}, 5, [{ a: 1 }, { a: [2] }]]) };
  siftCases.push({ query: q, facts, want: answer(q, facts) });
}
write("sift.json", siftCases);

// --- regular expressions
const patterns = ["abc", "^abc$", "^b", "b$", "a.c", "a\\.c", "(a|b)+c", "(?:ab){2}", "(?=ab)a", "(?!ab)a", "(?<=x)a", "(?<!x)a", "(a)\\1", "(?<n>a)b\\k<n>",
  "(x)?(?<n>a)\\2", "\\k<n>(?<n>a)", "(?i)abc", "(?i:abc)", "(?>a)", "(?#c)a", "(?'n'a)", "(?P<n>a)", "\\A", "\\Z", "\\z", "\\G", "\\a", "\\e", "\\d+", "\\D", "\\w+$",
  "\\s", "\\S", "\\bab\\b", "\\Bb", "[abc]+", "[^abc]", "[a-c]", "[c-a]", "[]", "[^]", "a[]", "[\\w-z]", "[a-\\d]", "[\\d-z]", "[-a]", "[a-]", "[a-z-[aeiou]]", "[[:alpha:]]",
  "[\\b]", "[\\]]", "[\\^a]", "[.]", "[$]", "a{2}", "a{2,}", "a{1,2}$", "a{,2}", "a{", "a{1", "{", "}", "]", "a{2,1}", "a**", "a++", "a+?b", "*a", "+", "?", "(", ")", "a|", "|",
  "(?:)", "\\x41", "\\x4", "\\u0041", "\\u004", "\\u{41}", "\\cA", "\\c", "\\0", "\\01", "\\101", "\\8", "\\1", "(a)\\2", "\\p{L}", "\\P{L}", "\\p{Lu}", "\\p{Script=Greek}", "\\p",
  "\\/", "\\-", "\\#", "# a", "a b", "$", "^", "^$", "a$b", "$a", "(^a|b$)", "é", "\\u00e9", "[à-ü]+", "ß", "^.$", ".", "\\v", "\\f", "\\t", "\\n", "[\\n\\t]", "(?<n>a)(?<n>b)",
  "(?<1>a)", "(?<n", "\\", "a\\", "[", "[a", "[\\", "(?", "(?:", "(?<a>.)(.)\\k<a>\\2", "((a)|b)*\\2", "(?:(a)|b)*\\1c", "(?=(a+))a*b\\1", "(?!(a)b)a\\1", "\\d{3}-\\d{4}", "^\\+1202\\d{7}$",
  "[\\s\\S]", "[^\\s]", "[^\\W]", "[\\D]", "(?<=a{2})b", "x*", "^(?:a+)+$", "[a-zA-Z_]\\w*", "\\w\\b", "k", "[k]", "[^k]", "K", "s", "\\ud83d\\ude00", "[😀]", "😀", "a?b??c", "(?<$x>a)\\k<$x>"];
const subjects = ["", "abc", "ABC", "aabbcc", "abab", "xa", "ab\ncd", "b\n", "a.c", "é", "É", "ß", "a b", "# a", "1-2", "202-5550", "+12025550143", "A", "aaa", "ab", "a{,2}", "a{", "{", "}", "]", "-z", "😀", "α",
  "\\", "x4", "u004", "u".repeat(41), "p{L}", "\u0001", "\u0008", "\t", "\u2028", "k", "K", "\u212a", "ſ", "aXa", "aba", "Z", "z", "e", "b]", "_x9", "caab", "\u00a0"];
const regexCases = [];
for (const pattern of patterns) for (const flags of ["", "i", "m", "s", "u", "iu", "y", "g", "ms"]) {
  let re;
  try { re = new RegExp(pattern, flags); } catch { regexCases.push({ pattern, flags, error: true }); continue; }
  const hits = subjects.map((s, i) => { re.lastIndex = 0; return re.test(s) ? i : -1; }).filter((i) => i >= 0);
  regexCases.push({ pattern, flags, hits });
}
writeFileSync(`${target}/internal/ecmascript/testdata/regex.json`, JSON.stringify({ subjects }) .slice(0, -1) + ',"cases":[\n' + regexCases.map((c) => JSON.stringify(c)).join(",\n") + "\n]}\n");

// --- moment
const formats = ["YYYY-MM-DD", "MM-DD", "M Mo MMM MMMM", "Q Qo", "D Do DD", "DDD DDDo DDDD", "d do dd ddd dddd", "e E", "w wo ww", "W Wo WW", "Y YY YYYY YYYYY YYYYYY", "y yo yy yyy yyyy",
  "N NN NNN NNNN NNNNN", "gg gggg ggggg", "GG GGGG GGGGG", "a A", "H HH", "h hh", "k kk", "hmm hmmss Hmm Hmmss", "m mm", "s ss", "S SS SSS SSSS SSSSSS SSSSSSSSS", "z zz Z ZZ", "X x",
  "LT LTS", "L LL LLL LLLL", "l ll lll llll", "[today is] dddd", "[L] \\L \\D", "YYYY[-]MM", "HH:mm:ss.SSS", "[[x] D", "plain tekst", "é Y", "\\[D]", "[a", "", "T", "DDDDD", "MMMMM", "hhh"];
const instants = ["2026-01-01T00:00:00Z", "2026-01-04T12:34:56.789Z", "2025-12-28T23:59:59.999Z", "2026-12-31T23:59:59Z", "2027-01-03T05:06:07.008Z", "2024-02-29T12:00:00Z", "2026-03-08T06:59:59.999Z",
  "2026-03-08T07:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-07-04T16:00:00.120Z", "2026-08-11T13:22:03Z", "2026-10-25T00:30:00Z", "2020-12-31T22:00:00Z"];
const zones = ["Etc/UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tokyo"];
const formatted = [];
for (const at of instants) for (const zone of [pick(zones), pick(zones)]) for (const format of formats) formatted.push({ at, zone, format, want: format === "" ? "" : moment.tz(at, zone).format(format) });
const timeFormats = ["hh:mm a", "HH:mm", "h:mm A", "H:mm", "HH:mm:ss", "hh:mm:ss a", "HHmm", "hmm a", "Hmm", "Hmmss", "hmmss a", "kk:mm", "k:mm a", "HH:mm:ss.SSS", "HH.mm", "[at] HH[h]mm", "a hh:mm", "LT", "LTS", "HH"];
const times = ["12:00 am", "00:00 am", "12:00 pm", "12 pm", "12:00", "8:00 am", "08:00am", "08:00 AM", "17:00", "17:00 pm", "05:00 PM", "5pm", "24:00", "25:00 pm", "", "24:00 am", "24:30", "0:00", "00:00",
  "12:30 a.m.", "12:30 p", "11:59:59 pm", "23:59:59.999", "9", "930", "0930", "1530", "153045", "93045", "09.30", "at 14h05", "pm 03:15", "noon", "am", "pm", "12:60", "12:5", "1:2 pm", "8:00am to 5pm", "-5:00", "13 pm", "0 pm", "99:99", "7:07:07", "7:07:77", "24", "24:00:00", "10:20:30.4", "10:20:30.45", "٣:٠٠", "8:00 xm", "8 : 00 : am"];
const parsed = [];
for (const format of timeFormats) for (const text of times) {
  const m = moment.utc(text, format);
  parsed.push({ format, text, ms: m.isValid() ? ((m.hours() * 60 + m.minutes()) * 60 + m.seconds()) * 1000 + m.milliseconds() : -1 });
}
writeFileSync(`${target}/internal/moment/testdata/moment.json`, '{"format":[\n' + formatted.map((c) => JSON.stringify(c)).join(",\n") + '\n],"parse":[\n' + parsed.map((c) => JSON.stringify(c)).join(",\n") + "\n]}\n");
