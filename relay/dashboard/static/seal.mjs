// Seals a login to the agent's key, so that nobody on the way can read it: HPKE (RFC 9180) in base mode with
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, as the Go package connectors/seal opens it.

const text = new TextEncoder();

function joined(...parts) {
  const bytes = parts.map((part) => (typeof part === "string" ? text.encode(part) : part));
  const all = new Uint8Array(bytes.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const be16 = (n) => new Uint8Array([n >> 8, n & 255]);
const be32 = (n) => new Uint8Array([n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]);

export function encode(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function decode(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

async function hmac(key, data) {
  // An empty key is the same as one of zeros, which WebCrypto takes.
  const raw = key.length ? key : new Uint8Array(32);
  const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

// The labelled functions of RFC 9180, section 4. No output is longer than one block of SHA-256.
const extract = (suite, salt, label, input) => hmac(salt, joined("HPKE-v1", suite, label, input));
async function expand(suite, key, label, info, size) {
  const block = await hmac(key, joined(be16(size), "HPKE-v1", suite, label, info, new Uint8Array([1])));
  return block.slice(0, size);
}

const kem = joined("KEM", be16(0x0010));
const suite = joined("HPKE", be16(0x0010), be16(0x0001), be16(0x0002));
const none = new Uint8Array();

// canonical writes JSON as RFC 8785 has it, for what a form can hold: texts, whole numbers and truth values.
export function canonical(settings) {
  return JSON.stringify(settings, Object.keys(settings).sort());
}

// fingerprint is for people to compare: the first 16 bytes of the key's SHA-256, in eight groups of four hex digits.
export async function fingerprint(publicKey) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", decode(publicKey)));
  const digits = [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.match(/.{4}/g).join(" ");
}

// seal encrypts credentials for the holder of the key, to be used at the place alone.
// place: {organisation, site, system, settings}; key: {id, public_key}.
export async function seal(key, place, credentials) {
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(canonical(place.settings))));
  const parts = [place.organisation, place.site, place.system, key.id, nonce, digest].map((part) => joined(part));
  const info = joined("gantry sealed credentials v1", ...parts.flatMap((part) => [be32(part.length), part]));

  const curve = { name: "ECDH", namedCurve: "P-256" };
  const recipient = decode(key.public_key);
  const theirs = await crypto.subtle.importKey("raw", recipient, curve, false, []);
  const ours = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
  const enc = new Uint8Array(await crypto.subtle.exportKey("raw", ours.publicKey));
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256));
  const shared = await expand(kem, await extract(kem, none, "eae_prk", dh), "shared_secret", joined(enc, recipient), 32);

  const context = joined(new Uint8Array([0]), await extract(suite, none, "psk_id_hash", none), await extract(suite, none, "info_hash", info));
  const secret = await extract(suite, shared, "secret", none);
  const aes = await crypto.subtle.importKey("raw", await expand(suite, secret, "key", context, 32), "AES-GCM", false, ["encrypt"]);
  const iv = await expand(suite, secret, "base_nonce", context, 12);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, text.encode(JSON.stringify(credentials)));
  return { v: 1, key_id: key.id, nonce: encode(nonce), enc: encode(enc), ciphertext: encode(new Uint8Array(sealed)) };
}
