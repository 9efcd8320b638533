import { placeOfStore, type StorePlace } from "../../../../store/open-store.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";
import { payloadLook } from "./find-secret.ts";

/** What a secret holds, as far as it may be told. The text itself never leaves this file. */
export type Payload =
  | { readonly kind: "store"; readonly scheme: string; readonly place: StorePlace }
  /** `why`: in words that quote nothing. */
  | { readonly kind: "malformed"; readonly why: string };

/** Reads the store URL in the secret, if this account may. */
export async function lookIntoSecret(at: Installation): Promise<Sight<Payload>> {
  const secret = await at.secret();
  if (secret.kind === "unseen") return secret;
  const look = payloadLook(secret.value);
  const answer = await at.ask(look);
  if (answer.kind !== "found") return unseen((id) => at.refused(id, look, answer));
  const data = answer.body.at("payload", "data").text ?? "";
  return seen(await payloadOf(Buffer.from(data, "base64").toString("utf8")));
}

async function payloadOf(url: string): Promise<Payload> {
  if (url === "") return malformed("it is empty");
  // A shell's echo adds one, and Cloud Run hands it on.
  if (url.endsWith("\n")) return malformed("it ends with a line break, which becomes a part of the URL");
  if (/\s/.test(url)) return malformed("it holds white space");
  try {
    const place = await placeOfStore(url);
    return { kind: "store", scheme: url.slice(0, Math.max(url.indexOf(":"), 0)).toLowerCase(), place };
  } catch {
    // The parser's sentence quotes the URL, although without its password.
    return malformed("it is no store URL that Tape takes");
  }
}

const malformed = (why: string): Payload => ({ kind: "malformed", why });
