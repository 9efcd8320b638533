import type { Explanation, Trouble } from "./postgres-failure.ts";

const usePgbouncer =
  "a pooler changes the server connection between transactions; add pgbouncer=true to the parameters of the store URL";
const migrate = "run `tape migrate`, or check schema= in the store URL";

/** Why, and what to do next, by SQLSTATE. A function gets what the server said, which is fit to be shown. */
const explanations: Readonly<Record<string, readonly [Trouble, string | ((said: string) => string)]>> = {
  "25006": [
    "configuration",
    "the server only takes reads: it is a replica, or default_transaction_read_only is on; name the primary in the store URL, or switch that off",
  ],
  "26000": ["configuration", (said) => `${said}: ${usePgbouncer}`],
  "28000": ["configuration", (said) => `the server refuses this login (${said}); check user, sslmode and pg_hba.conf`],
  "28P01": ["configuration", (said) => `the server refuses user or password (${said}); check both in the store URL`],
  "3D000": ["configuration", (said) => `${said}; create it, or name another one in the store URL`],
  "3F000": ["tables", (said) => `${said}; ${migrate}`],
  "40001": ["moment", "the transaction lost against another; try again"],
  "40P01": ["moment", "the transaction lost against another; try again"],
  "42501": ["configuration", (said) => `${said}; grant the user of the store URL what it needs, or name another one`],
  "42P01": ["tables", (said) => `${said}; ${migrate}`],
  "42P05": ["configuration", (said) => `${said}: ${usePgbouncer}`],
  "53100": ["moment", "the server's disk is full; make room on it, then try again"],
  "53200": ["moment", "the server is out of memory; try again, or give it more"],
  "53300": [
    "moment",
    (said) =>
      `the server takes no more connections (${said}); lower pool_size in the store URL, or raise max_connections`,
  ],
  "55P03": ["moment", "another session holds a lock for too long; find it in pg_stat_activity, then try again"],
  "57014": [
    "moment",
    (said) =>
      `${said}; raise statement_timeout in the store URL if the server is only slow, and see what keeps it busy`,
  ],
  "57P01": ["moment", "the server is shutting down, or an administrator ended the connection; try again"],
  "57P02": ["moment", "the server crashed and restarts; try again"],
  "57P03": ["moment", (said) => `the server takes no connections yet (${said}); try again`],
  XX001: ["damage", (said) => `data in the database is damaged (${said}); restore it from a backup`],
  XX002: ["damage", (said) => `an index of the database is damaged (${said}); REINDEX it, or restore from a backup`],
};

/** Whole classes: lost connections, resources, operators, the system around the server. */
const momentaryClass = /^(?:08|53|57|58)/;

/** PgBouncer answers nearly everything with 08P01, and only its words tell what it is. */
const poolerWords: readonly (readonly [RegExp, readonly [Trouble, (said: string) => string]])[] = [
  [
    /unsupported startup parameter.*options/,
    [
      "configuration",
      (said) =>
        `the pooler takes no options (${said}); add pgbouncer=true to the parameters of the store URL, and no options`,
    ],
  ],
  [
    /unsupported startup parameter/,
    ["configuration", (said) => `this is a pooler (${said}); add pgbouncer=true to the parameters of the store URL`],
  ],
  [
    /no such database|database .* does not exist/,
    ["configuration", (said) => `${said}; name another one in the store URL`],
  ],
  [
    /auth failed|no such user|authentication failed|login rejected/,
    ["configuration", (said) => `the pooler refuses user or password (${said}); check both in the store URL`],
  ],
  [
    /no more connections|query_wait_timeout/,
    ["moment", (said) => `the pooler is full (${said}); lower pool_size in the store URL, or raise its limits`],
  ],
];

/** Explains an error that the server, or a pooler in its place, answered with. */
export function explainServer(state: string, said: string, fatal: boolean): Explanation {
  const pooler = state === "08P01" ? poolerWords.find(([words]) => words.test(said))?.[1] : undefined;
  const found = pooler ?? explanations[state];
  if (found !== undefined) {
    const [trouble, why] = found;
    return { trouble, why: typeof why === "string" ? why : why(said) };
  }
  if (momentaryClass.test(state)) return { trouble: "moment", why: `${said}; try again, or see the server's log` };
  if (fatal)
    return {
      trouble: "configuration",
      why: `the server refused the session (${said}); check options in the store URL`,
    };
  return { trouble: "unforeseen", why: `${said} (SQLSTATE ${state})` };
}
