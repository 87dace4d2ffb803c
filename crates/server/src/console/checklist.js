// Signs the checklist with a key file. The key is read and used here, and never sent.
"use strict";

const form = document.getElementById("sign-form");
const told = document.getElementById("sign-told");
const LARGEST_KEY = 16384;
const NO_KEY = "holds no private key of Ed25519 (PKCS #8 in PEM). `spreadsheet-mcp checklist keys create` makes one.";

/** What keeps a signature from being made, in a sentence for whoever signs. */
class Refused extends Error {}

function say(sentence, isGood) {
  told.textContent = sentence;
  told.className = isGood ? "good" : "bad";
}

/** The fragments of an error of the server, as sentences; one that begins with a path begins as that is written. */
function sentences(...fragments) {
  const first = (text) => (/^[a-z]+[.,:;]?( |$)/.test(text) ? text[0].toUpperCase() : text[0]);
  const sentence = (text) => first(text) + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
  return fragments.filter(Boolean).map(sentence).join(" ");
}

async function ask(path, body) {
  const target = new URL(path, document.baseURI);
  let response;
  try {
    response = await fetch(target, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused("The server does not answer. Try again in a while.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { message, hint } = answer.error ?? {};
  throw new Refused(sentences(message ?? `the server refused it with the status ${response.status}`, hint));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/** The key of a file: for signing, and its public half in Base64. */
async function read(file) {
  const text = file.size > LARGEST_KEY ? "" : await file.text();
  const body = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text);
  try {
    const document = Uint8Array.from(atob(body[1].replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
    const key = await crypto.subtle.importKey("pkcs8", document, { name: "Ed25519" }, true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    return { key, public: x.replace(/-/g, "+").replace(/_/g, "/") + "=" };
  } catch {
    throw new Refused(`${file.name} ${NO_KEY}`);
  }
}

async function sign(person, role, file) {
  const { key, public: publicHalf } = await read(file);
  const { environment, state } = form.dataset;
  const { message } = await ask("checklist/to-sign", { person, role, environment });
  // Nobody signs what they have not seen.
  const signed = JSON.parse(message);
  if (signed.state !== state) {
    throw new Refused(
      "The checklist was run again, or something was stated, waived or taken back since this page was loaded. Load it again, and " +
        "look at it before you sign.",
    );
  }
  if (signed.purpose !== "checklist/sign-off/1" || signed.person !== person || signed.role !== role) {
    throw new Refused("The server gave something else to sign. Tell whoever runs it.");
  }
  const signature = await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(message));
  await ask("checklist/sign", { signed, key: publicHalf, signature: base64(signature) });
}

/** Whether this browser can sign: a page that was not sent in secret has no cryptography. */
async function canSign() {
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign"]);
    return true;
  } catch {
    return false;
  }
}

async function submitted(event) {
  event.preventDefault();
  const { person, role, key } = form.elements;
  const button = form.querySelector("button");
  button.disabled = true;
  say("Signing…", true);
  try {
    await sign(person.value.trim(), role.value, key.files[0]);
    sessionStorage.setItem("signed", `${person.value.trim()} has signed for ${role.selectedOptions[0].text}.`);
    form.reset();
    location.reload();
  } catch (error) {
    say(error instanceof Refused ? error.message : `It could not be signed: ${error.message}.`, false);
  } finally {
    button.disabled = false;
  }
}

async function begin() {
  if (!form) return;
  if (!(await canSign())) {
    say("This browser can't sign here: that takes Ed25519 and a page of https or of this machine. Sign by command.", false);
    return;
  }
  document.querySelector(".signing details").open = false;
  form.hidden = false;
  form.addEventListener("submit", submitted);
  const signed = sessionStorage.getItem("signed");
  if (signed) {
    sessionStorage.removeItem("signed");
    say(signed, true);
    told.scrollIntoView({ block: "center" });
  }
}

begin();
