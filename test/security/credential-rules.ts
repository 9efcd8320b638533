import type { SourceFile } from "../architecture-rules.ts";

/** Where credentials are looked at, and where alone they are compared. */
const comparer = "server/authenticator.ts";

/** A name under which a secret goes. What counts, says where from, or names a kind of them is no secret. */
const secretName = /(?:token|secret|password|passwd|credential|bearer|authorization|digest|apikey)s?$/i;

/** `a === b`, either side a name or the end of a path; what is compared with nothing, or with a kind, is fine. */
const comparison = /([\w.?\]]+)\s*(?:===|!==|==|!=)\s*([\w.?"'`]+)/g;
const harmless = /^(?:undefined|null|true|false|typeof|""|''|``|"[^"]*"?|\d+)$/;

/** Ways to look for a secret in a text or a list, which stop at the first difference. */
const search = /\b(\w+)\.(?:includes|indexOf|startsWith|endsWith|localeCompare|equals)\(\s*(\w+)/g;

/** Texts that everybody knows, and that secrets may be compared with: what Cloud Run writes in a signature's place. */
const publicTexts: ReadonlySet<string> = new Set(["takenSignature"]);

/** Says in a sentence each where a credential is compared by anything but the one function that takes equal time. */
export function credentialViolations(files: readonly SourceFile[]): readonly string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    if (path.endsWith(".test.ts")) continue;
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/[^\n]*/g, "");
    if (/\btimingSafeEqual\b/.test(code) && path !== comparer) found.push(`${path} compares credentials by itself`);
    if (!path.startsWith("server/")) continue;
    for (const [whole, left = "", right = ""] of code.matchAll(comparison)) {
      if (harmless.test(left) || harmless.test(right)) continue;
      if (isSecret(left) || isSecret(right)) found.push(`${path} compares a secret: ${whole}`);
    }
    for (const [whole, text1 = "", text2 = ""] of code.matchAll(search)) {
      if (publicTexts.has(text2)) continue;
      if (isSecret(text1) || isSecret(text2)) found.push(`${path} searches for a secret: ${whole}`);
    }
  }
  return [...found, ...comparerViolations(files.find(({ path }) => path === comparer)?.text ?? "")];
}

/** The comparing function itself: hashes, so of equal length, and all of them, so that time does not tell which. */
function comparerViolations(text: string): readonly string[] {
  const found: string[] = [];
  if (!/timingSafeEqual\(door\.digest, presented\)/.test(text))
    found.push(`${comparer} does not compare in equal time`);
  if (!/createHash\("sha256"\)\.update\(token\)/.test(text)) found.push(`${comparer} does not compare hashes`);
  const loop = /for \(const door of doors\) (.*)/.exec(text)?.[1] ?? "break";
  if (/\b(?:break|return)\b/.test(loop)) found.push(`${comparer} stops at the first that fits`);
  return found;
}

const isSecret = (path: string): boolean =>
  secretName.test(
    path
      .replace(/[?\]]+$/, "")
      .split(".")
      .at(-1) ?? "",
  );
