// Ceremonies of security keys and passkeys. Without this module their buttons stay hidden, and the other factors work.

const USE = "/account/webauthn-authenticate/";
const ADD = "/manage/account/webauthn-provision/";

const knows =
  typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function" &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

class Refused extends Error {
  constructor(fail) {
    super((fail.errors || []).join(" ") || "That did not work. Open this page again.");
    this.fail = fail;
  }
}

async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (body.fail || !answer.ok) throw new Refused(body.fail || {});
  return body;
}

async function options(path, query) {
  const said = new URLSearchParams(query);
  return read(await fetch(said.size ? `${path}options?${said}` : `${path}options`, { credentials: "same-origin" }));
}

async function validate(path, form, credential) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("credential", JSON.stringify(credential.toJSON()));
  return read(await fetch(`${path}validate`, { method: "POST", body: fields, credentials: "same-origin" }));
}

function field(form, name) {
  return form.elements.namedItem(name)?.value || "";
}

async function use(form) {
  const asked = Object.fromEntries(["act", "alone"].map((name) => [name, field(form, name)]).filter(([, value]) => value));
  const at = form.dataset.keyAt || USE;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options(at, asked));
  const credential = await navigator.credentials.get({ publicKey });
  try {
    return await validate(at, form, credential);
  } catch (error) {
    const unknown = error.fail?.unknown_credential;
    if (unknown) await PublicKeyCredential.signalUnknownCredential?.({ rpId: publicKey.rpId, credentialId: unknown }).catch(() => {});
    throw error;
  }
}

async function add(form) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await options(ADD, { label: field(form, "label") }));
  const credential = await navigator.credentials.create({ publicKey });
  return validate(ADD, form, credential);
}

function words(error) {
  if (error instanceof Refused) return error.message;
  switch (error.name) {
    case "NotAllowedError":
      return "Nothing was confirmed: the key was not touched in time, or you closed the question. Try again.";
    case "InvalidStateError":
      return "This key is one of your account already.";
    case "SecurityError":
      return "Your browser does not allow keys at this address of the index.";
    default:
      return `Your browser could not use the key (${error.name || "unknown"}). Try again, or use another factor.`;
  }
}

async function run(form, button, ceremony) {
  const said = form.querySelector("[data-key-said]");
  said.textContent = "";
  button.disabled = true;
  try {
    const done = await ceremony(form);
    location.assign(done.success.redirect_to);
  } catch (error) {
    if (error.fail?.redirect_to) {
      location.assign(error.fail.redirect_to);
      return;
    }
    said.textContent = words(error);
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-key]")) {
  if (!knows) continue;
  form.querySelector("[data-key-without]").hidden = true;
  if (form.dataset.key === "use") {
    const button = form.querySelector("[data-key-button]");
    button.hidden = false;
    button.addEventListener("click", () => run(form, button, use));
    continue;
  }
  form.addEventListener("submit", (event) => {
    // Without a proof for exactly this label the form goes the usual way: the server asks for it and leads back.
    const bound = form.dataset.keyLabel;
    if (!("keyReady" in form.dataset) || (bound !== undefined && bound !== field(form, "label").trim())) return;
    event.preventDefault();
    run(form, form.querySelector("button"), add);
  });
}

const accepted = document.querySelector("[data-key-accepted]");
if (accepted && knows) {
  const { keyAccepted, keyParty, keyUser } = accepted.dataset;
  const allAcceptedCredentialIds = keyAccepted.split(" ").filter(Boolean);
  PublicKeyCredential.signalAllAcceptedCredentials?.({ rpId: keyParty, userId: keyUser, allAcceptedCredentialIds }).catch(() => {});
}
