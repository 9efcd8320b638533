/**
 * A hash that spreads names (FNV-1a, 32 bits). Part of stored keys, so it never changes; nothing else relies on it.
 */
export function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV depend on few characters of a short name.
  return (hash ^ (hash >>> 16)) >>> 0;
}
