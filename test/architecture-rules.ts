/** A file of `src`: its path within it and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

interface Import {
  /** A path within `src`, or the name of a package or of a Node module. */
  readonly target: string;
  readonly inside: boolean;
  readonly form: "static" | "type" | "dynamic";
}

/**
 * The parts of `src` and what each may import beside itself. The order is that of dependence: nothing imports what
 * stands below it. Adapters (`store/<engine>`) share one line; `root` is what stands in `src` itself.
 */
const allowed = {
  errors: [],
  model: ["errors"],
  codec: ["errors", "model"],
  journal: ["errors", "model", "codec"],
  port: ["errors", "model"],
  sql: ["errors", "model", "codec", "port"],
  // What stores on Google's services share.
  google: ["errors", "model", "port"],
  adapter: ["errors", "model", "codec", "port", "sql", "google"],
  // The one file that chooses a store by URL.
  chooser: ["errors", "model", "port", "adapter"],
  engine: ["errors", "model", "codec", "journal", "port"],
  reactor: ["errors", "model", "codec", "journal", "port", "engine"],
  rpc: ["errors", "model"],
  client: ["errors", "model", "rpc"],
  server: ["errors", "model", "codec", "journal", "port", "chooser", "engine", "reactor", "rpc"],
  testing: [
    "errors",
    "model",
    "codec",
    "journal",
    "port",
    "adapter",
    "chooser",
    "engine",
    "reactor",
    "rpc",
    "client",
    "server",
  ],
  root: ["errors", "model", "port", "chooser", "engine", "reactor", "client"],
  // It kills the server of a database, which it must reach as the store does.
  demo: ["errors", "model", "adapter", "client", "root", "testing"],
  cli: [
    "errors",
    "model",
    "codec",
    "journal",
    "port",
    "chooser",
    "engine",
    "reactor",
    "rpc",
    "client",
    "server",
    "root",
    "demo",
  ],
} as const satisfies Record<string, readonly string[]>;

type Part = keyof typeof allowed;

/** Packages that only these parts may import. A driver is an own matter of its adapter, and loaded lazily. */
const packages: Readonly<Record<string, { readonly parts: readonly Part[]; readonly lazy?: boolean }>> = {
  "#doctor-process": { parts: ["cli"] },
  "#sqlite-writer": { parts: ["adapter"] },
  "#store-crash-writer": { parts: ["testing"] },
  "@bufbuild/cel": { parts: ["journal"] },
  "@bufbuild/protobuf": { parts: ["rpc", "server", "client"] },
  "@google-cloud/bigtable": { parts: ["adapter"], lazy: true },
  "@google-cloud/spanner": { parts: ["adapter"], lazy: true },
  "@connectrpc/connect": { parts: ["rpc", "server", "client"] },
  "@connectrpc/connect-node": { parts: ["server", "client"] },
  "@opentelemetry/api": { parts: ["engine", "server", "client"] },
  "@photostructure/sqlite": { parts: ["adapter"], lazy: true },
  "google-auth-library": { parts: ["adapter", "cli", "client"], lazy: true },
  jose: { parts: ["server"] },
  "lru-cache": { parts: ["engine", "adapter", "server"] },
  "node:sqlite": { parts: ["adapter"], lazy: true },
  commander: { parts: ["cli"] },
  pg: { parts: ["adapter"], lazy: true },
  picocolors: { parts: ["cli", "demo", "server"] },
  pino: { parts: ["server", "cli"] },
};

/** Parts that are pure or run in a browser: no Node. `codec` hashes, and `node:crypto` is how it does. */
const withoutNode: Partial<Record<Part, readonly string[]>> = {
  errors: [],
  model: [],
  codec: ["node:crypto"],
  journal: [],
  rpc: [],
  port: [],
};

const chooserPath = "store/open-store.ts";
const configPath = "server/config.ts";
/** What `tape-journal/client` is in a browser. */
const browserEntry = "client/browser.ts";
const forbiddenNames = /^(?:utils?|helpers?|common|types|misc|shared)$/;
const maximumLines = 400;

/** Everything in these files that breaks a rule of the architecture, one sentence each. */
export function violations(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(violationsOf), ...browserViolations(files)];
}

function violationsOf(file: SourceFile): string[] {
  const found: string[] = [];
  const report = (fault: string): unknown => found.push(`${file.path} ${fault}`);
  const code = withoutComments(file.text);
  const test = isTest(file.path);
  for (const name of file.path.replace(/(\.test)?\.ts$/, "").split("/")) {
    if (forbiddenNames.test(name)) report(`is named "${name}", which says nothing`);
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) report(`is not named in kebab-case: "${name}"`);
  }
  const lines = file.text.split("\n").length - 1;
  if (lines > maximumLines) report(`has ${lines} lines, more than ${maximumLines}`);
  if (/\bextends\s+\w*Error\b/.test(code) && file.path !== "errors.ts")
    report("extends Error: TapeError is the one error class");
  if (test) return found;
  if (/\bprocess\s*\.\s*env\b/.test(code) && file.path !== configPath && file.path !== chooserPath)
    report(`reads the environment, which is for ${configPath} and ${chooserPath}`);
  for (const imported of importsOf(file)) {
    const fault = imported.inside ? faultInside(file.path, imported) : faultOutside(file.path, imported);
    if (fault !== undefined) report(fault);
  }
  return found;
}

function faultInside(path: string, { target }: Import): string | undefined {
  const part = partOf(path);
  const targetPart = partOf(target);
  if (isTest(target)) return `imports the test ${target}`;
  if (part === undefined) return "belongs to no part of the architecture";
  if (targetPart === undefined) return `imports ${target}, which belongs to no part of the architecture`;
  if (part === "adapter" && targetPart === "adapter" && folderOf(path) !== folderOf(target)) {
    return `imports ${target} of another adapter`;
  }
  if (part === targetPart) return undefined;
  // The oracle of the suites is the reference store; they know no other adapter.
  if (part === "testing" && targetPart === "adapter" && folderOf(target) !== "store/memory")
    return `imports the adapter ${target}`;
  const parts: readonly Part[] = allowed[part];
  return parts.includes(targetPart) ? undefined : `imports ${target}: ${part} may not import ${targetPart}`;
}

function faultOutside(path: string, { target, form }: Import): string | undefined {
  const part = partOf(path);
  if (part === undefined) return "belongs to no part of the architecture";
  const name = target.startsWith("node:") ? target : packageOf(target);
  const rule = packages[name];
  if (rule === undefined) {
    if (!name.startsWith("node:")) return `imports ${name}, which no part may`;
    const exceptions = withoutNode[part];
    return exceptions === undefined || exceptions.includes(name) ? undefined : `imports ${name}: ${part} knows no Node`;
  }
  if (!rule.parts.includes(part)) return `imports ${name}, which is for ${rule.parts.join(", ")}`;
  if (rule.lazy === true && form === "static") return `imports ${name} before it is needed: import() it`;
  return undefined;
}

/** What a browser loads with the client must not need Node: follows static imports from its entry. */
function browserViolations(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>([browserEntry]);
  const found: string[] = [];
  for (const path of reached) {
    const file = byPath.get(path);
    if (file === undefined) continue;
    if (/\bBuffer\b|\bprocess\./.test(withoutComments(file.text)))
      found.push(`${path} uses a global of Node in a browser`);
    for (const { target, inside, form } of importsOf(file)) {
      if (form !== "static") continue;
      if (inside) reached.add(target);
      else if (target.startsWith("node:")) found.push(`${path} imports ${target} in a browser`);
    }
  }
  return found;
}

function partOf(path: string): Part | undefined {
  const [first = "", second = "", third] = path.split("/");
  if (path === "errors.ts") return "errors";
  if (second === "") return "root";
  if (first !== "store") return isPart(first) ? first : undefined;
  if (path === "store/store.ts") return "port";
  if (path === chooserPath) return "chooser";
  // Beside the port stand only the words it is written in.
  if (third === undefined) return "port";
  return second === "sql" || second === "google" ? second : "adapter";
}

function isPart(name: string): name is Part {
  return name in allowed;
}

function folderOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

const importForms: readonly (readonly [Import["form"], RegExp])[] = [
  ["type", /^\s*(?:import|export)\s+type\s[^"';]*?from\s*"([^"]+)"/gm],
  ["static", /^\s*(?:import|export)\s+(?!type\s)(?:[^"';]*?from\s*)?"([^"]+)"/gm],
  ["dynamic", /\b(?:import|require|resolve)\(\s*"([^"]+)"/g],
];

function importsOf(file: SourceFile): Import[] {
  const code = withoutComments(file.text);
  return importForms.flatMap(([form, pattern]) => {
    const specifiers = [...code.matchAll(pattern)].map((match) => match[1] ?? "");
    return specifiers.map((specifier) => {
      const inside = specifier.startsWith(".");
      return { target: inside ? join(file.path, specifier) : specifier, inside, form };
    });
  });
}

function join(from: string, specifier: string): string {
  const url = new URL(specifier, `file:///${from}`);
  return decodeURIComponent(url.pathname.slice(1));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[\s;{}(),])\/\/.*$/gm, "$1");
}
