import { describe, expect, it } from "vitest";
import { maskUrl } from "./mask-url.ts";

describe("maskUrl, of what is hardly a URL", () => {
  it.each([
    ["postgres://sa@p.iam:pw@db/tape", "postgres://sa@p.iam:***@db/tape"],
    ["alloydb://sa@p.iam@/tape", "alloydb://sa@p.iam@/tape"],
    ["postgres:u:pw@db/tape", "postgres:***@db/tape"],
    ["postgres:/u:pw@db/tape", "postgres:***@db/tape"],
    ["postgres//u:pw@db/tape", "postgres/***@db/tape"],
    ["jdbc:postgresql://u:pw@db", "jdbc:***@db"],
    ["tape:pw@db/tape", "tape:***@db/tape"],
    ["sqlite:/tmp/a:b@c.db", "sqlite:/tmp/a:b@c.db"],
    ["postgres://db/tape?p%61ssword=pw&x=1", "postgres://db/tape?p%61ssword=***&x=1"],
    ["postgres://db/tape?password=p&w&x=1", "postgres://db/tape?password=***&x=1"],
    ["postgres://db/tape?password=p#w", "postgres://db/tape?password=***"],
    ["postgres://db/tape?port=a:b&password=p@w", "postgres://db/tape?port=a:***@***"],
    ["postgres://db/tape?password=p&=w&x=1", "postgres://db/tape?password=***&x=1"],
    ["postgres://db/tape?sslkey=/k&sslmode=require", "postgres://db/tape?sslkey=***&sslmode=require"],
  ])("%j", (url, masked) => {
    expect(maskUrl(url)).toBe(masked);
  });
});
