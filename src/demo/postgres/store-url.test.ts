import { expect, test } from "vitest";
import { parsePostgresUrl } from "../../store/postgres/postgres-url.ts";
import { storeUrlWith } from "./store-url.ts";

test.for([
  "postgres://me:a%40b%3Ac%26d@127.0.0.1:5433/books?sslmode=disable&pool_size=3",
  "postgres://me@[::1]/books",
  "postgresql://?host=/var/run/postgresql&user=me&password=&options=-c%20work_mem=4MB",
])("%s keeps all but what is changed", (url) => {
  const changed = storeUrlWith(url, { schema: "own", application_name: "demo" });
  expect(parsePostgresUrl(changed)).toEqual({
    ...parsePostgresUrl(url),
    schema: "own",
    applicationName: "demo",
  });
});

test("the place may be another one", () => {
  const changed = storeUrlWith("postgres://me@localhost:5433/books?schema=own", { host: "/tmp/way", port: "5434" });
  expect(parsePostgresUrl(changed)).toMatchObject({ host: "/tmp/way", port: 5434, user: "me", schema: "own" });
});
