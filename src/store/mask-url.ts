/** Also names with an escape in them, which may be any; and what follows a value whose `&` was not escaped. */
const secretParameter =
  /([?&][^=&]*(?:pass|pwd|secret|token|key|credential|sig|%)[^=&]*=)[^&]*(?:&(?![a-z_]+=)[^&]*)*/gi;

const login = /^([^:/]*:\/\/[^:]*:)(.*)@(.*)$/s;
const looseLogin = /^(?!sqlite:|[^:/]*:\/\/)([^:/]*[:/])(.*)@(.*)$/is;

/**
 * A store URL as it may be logged: without password and without query parameters that look like secrets. Works on
 * malformed URLs too, hiding too much rather than too little: everything from the first `:` behind `//` to the last `@`.
 * A text without `://` that is no file may be a login all the same.
 */
export function maskUrl(url: string): string {
  const printable = url.replaceAll(/\p{Cc}/gu, "\u{fffd}");
  return printable.replace(login, hideLogin).replace(looseLogin, hideLogin).replaceAll(secretParameter, "$1***");
}

/** What looks like a login may reach to an `@` within a secret parameter, whose end then lies behind it. */
function hideLogin(_url: string, before: string, hidden: string, behind: string): string {
  return `${before}***@${hidden.search(secretParameter) < 0 ? behind : "***"}`;
}
