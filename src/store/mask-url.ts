const secretParameter = /([?&][^=&]*(?:pass|pwd|secret|token|key|credential|sig)[^=&]*=)[^&#]*/gi;

/**
 * A store URL as it may be logged: without password and without query parameters that look like secrets. Works on
 * malformed URLs too, hiding too much rather than too little: everything from the first `:` behind `//` to the last `@`.
 */
export function maskUrl(url: string): string {
  const printable = url.replaceAll(/\p{Cc}/gu, "\u{fffd}");
  return printable.replace(/^([^:/]*:\/\/[^:@]*):.*@/s, "$1:***@").replaceAll(secretParameter, "$1***");
}
