// The page "Live call routing" of a product, in Node's standard library alone.
//
// It shows the plugin's form inside the product's own pages. The browser talks to the product only;
// the product asks switchboard's API, server to server, with the token. Run it with
//
//     SWITCHBOARD_URL=https://switchboard.example.com SWITCHBOARD_TOKEN=… \
//         node live_call_routing.mjs 127.0.0.1:8091
//
// and open /live-call-routing. A product has a log-in in front of this page, as whoever sees it may
// change the hotline. The example has none: let it listen on the local machine alone.

import { createServer } from "node:http";

const SWITCHBOARD = process.env.SWITCHBOARD_URL.replace(/\/$/, "");
const TOKEN = process.env.SWITCHBOARD_TOKEN;
const HOME = "/live-call-routing";
const PLUGIN = "livecall";

// The strictest policy that the page needs: nothing inline, and uploaded sounds from switchboard.
const POLICY = `default-src 'self'; media-src ${new URL(SWITCHBOARD).origin}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'`;

// ask sends a request to switchboard's API. A posted form is passed on as the browser sent it.
async function ask(path, posted) {
  const init = { headers: { Authorization: "Bearer " + TOKEN }, redirect: "error" };
  if (posted) {
    init.headers["Content-Type"] = posted.headers["content-type"] ?? "";
    Object.assign(init, { method: "POST", body: posted, duplex: "half" });
  }
  const answer = await fetch(SWITCHBOARD + "/api/v1" + path, init);
  const body = await answer.json();
  if (body.error) throw Object.assign(new Error(body.error.message), { status: answer.status === 404 ? 404 : 502 });
  return { status: answer.status, body };
}

// ---- Pages ------------------------------------------------------------------------------------

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title, content, head = "") => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Acme Pager</title>
${head}<link rel="stylesheet" href="${HOME}/acme.css">
</head>
<body>
<header><a href="${HOME}">Acme Pager</a></header>
<main>
<h1>${escape(title)}</h1>
${content}</main>
</body>
</html>
`;

// formPage puts the form into the product's page: the form elements, the button and the way around
// them are the product's.
function formPage(form) {
  const own = (name) => `${HOME}/assets/${name.split("/").pop()}`;
  const head = `<link rel="stylesheet" href="${own(form.style_url)}">\n<script src="${own(form.script_url)}" defer></script>\n`;
  const number = form.integration ? `<p>Direct your telephone number to <code>${escape(form.integration.endpoint_url)}</code>.</p>\n` : "";
  const actions = form.actions.map(({ html }) => `<form method="post">\n${html}</form>\n`).join("");
  return page(form.integration?.name ?? "New hotline", `${number}${actions}<form method="post" enctype="multipart/form-data" novalidate>
${form.html}<button id="save">Save</button> <a href="${HOME}">Back</a>
</form>
`, head);
}

async function listPage() {
  const { body: integrations } = await ask("/integrations");
  const rows = integrations.map(({ id, name, findings }) => `<li><a href="${HOME}/${encodeURIComponent(id)}">${escape(name)}</a>${findings.length ? " – needs attention" : ""}</li>\n`);
  return page("Live call routing", `<ul>\n${rows.join("")}</ul>\n<p><a href="${HOME}/new">New hotline</a></p>\n`);
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#fbfaf7, #17151d); color: light-dark(#26222e, #ece9f2); overflow-wrap: anywhere; }
header { padding: 1rem; background: #4b2e83; }
header a { color: #fff; font-weight: 700; text-decoration: none; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
main > form { margin-bottom: 2rem; }
a { color: light-dark(#4b2e83, #c3aef0); }
#save { font: inherit; font-weight: 600; padding: .5rem 1.5rem; border: 0; border-radius: 8px; background: #4b2e83; color: #fff; }
/* The form's own colours can be replaced, such as that of its boxes to tick. */
.integration-form { --brand: light-dark(#4b2e83, #c3aef0); --brand-soft: light-dark(#efeaf8, #2c2440); --link: var(--brand); }
`;

// ---- Requests ---------------------------------------------------------------------------------

// answer gives status, content and its type, or the address that comes next.
async function answer(request) {
  const { pathname } = new URL(request.url, "http://acme");
  const [, home, id, name] = pathname.split("/");
  if ("/" + home !== HOME) return { next: HOME };
  if (!id) return { content: await listPage() };
  if (id === "acme.css") return { content: STYLE, type: "text/css" };
  if (id === "assets" && name) return asset(name);
  // What is between two slashes of an address may stand in another as it is.
  const path = id === "new" ? `/plugins/${PLUGIN}/form` : `/integrations/${id}/form`;
  const { status, body: form } = await ask(path, request.method === "POST" ? request : null);
  if (status === 201) return { next: `${HOME}/${encodeURIComponent(form.integration.id)}` };
  return { status, content: formPage(form) }; // also a refused form: it says what to correct
}

// asset passes on the form's script or style, so that the browser gets it from the product's
// origin. The names change with the content.
async function asset(name) {
  const got = await fetch(`${SWITCHBOARD}/static/${name}`, { redirect: "error" });
  return { status: got.status, content: await got.text(), type: got.headers.get("content-type"), cache: got.headers.get("cache-control") };
}

// foreign reports whether another website made the browser post this.
const foreign = (request) => request.method === "POST" && !["same-origin", undefined].includes(request.headers["sec-fetch-site"]);

async function serve(request, response) {
  let result;
  try {
    if (foreign(request)) throw Object.assign(new Error("Another website sent this request."), { status: 403 });
    result = await answer(request);
  } catch (error) {
    console.error(error);
    const text = error.status ? error.message : "The hotline's settings cannot be reached: try again in a moment.";
    result = { status: error.status ?? 502, content: page("Not possible", `<p role="alert">${escape(text)}</p>\n<p><a href="${HOME}">Back</a></p>\n`) };
  }
  if (result.next) return response.writeHead(303, { Location: result.next }).end();
  response.writeHead(result.status ?? 200, {
    "Content-Type": result.type ?? "text/html; charset=utf-8", "Cache-Control": result.cache ?? "no-store",
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
  });
  response.end(result.content);
}

const [, host, port] = process.argv[2].match(/^(.*):(\d+)$/);
const server = createServer(serve);
server.listen(Number(port), host, () => console.log("serving", server.address().port));
