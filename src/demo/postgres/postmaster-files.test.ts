import { describe, expect, test } from "vitest";
import { parsePostmasterOpts, parsePostmasterPid, withDataFolder } from "./postmaster-files.ts";

describe("postmaster.opts", () => {
  test.for<[text: string, program: string, args: readonly string[]]>([
    ['/usr/lib/postgresql/15/bin/postgres "-D" "/data"\n', "/usr/lib/postgresql/15/bin/postgres", ["-D", "/data"]],
    ['/a folder/postgres "-c" "listen_addresses=a, b" ""\n', "/a folder/postgres", ["-c", "listen_addresses=a, b", ""]],
    ["/bin/postgres\n", "/bin/postgres", []],
    ["/bin/postgres ", "/bin/postgres", []],
  ])("%s", ([text, program, args]) => {
    expect(parsePostmasterOpts(text)).toEqual({ program, args });
  });

  test.for(["", "\n", '"-D" "/data"', '/bin/postgres "-c" "a"b"', '/bin/postgres "-D', 'one "a"\ntwo "b"'])(
    "%j is no command line that can be run again",
    (text) => {
      expect(parsePostmasterOpts(text)).toBeUndefined();
    },
  );
});

describe("postmaster.pid", () => {
  test("says which process, and since when", () => {
    const text = "4711\n/data\n1795538571\n5432\n/tmp\n127.0.0.1\n  2155218    294965\nready   \n";
    expect(parsePostmasterPid(text)).toEqual({ pid: 4711, startedAt: 1_795_538_571 });
  });

  test.for(["", "4711\n", "-4711\n/data\n1795538571\n", "1\n/data\n1795538571\n", "x\n/data\ny\n"])(
    "%j says nothing that may be relied on",
    (text) => {
      expect(parsePostmasterPid(text)).toBeUndefined();
    },
  );
});

describe("the data folder", () => {
  test.for<readonly string[]>([["-D", "/data"], ["-D/data"], ["-D", "old", "-D", "/data"]])("%j stays", (args) => {
    expect(withDataFolder({ program: "postgres", args }, "/elsewhere")).toEqual({ program: "postgres", args });
  });

  test.for<readonly string[]>([[], ["-D", "data"], ["-Ddata"], ["-c", "port=1"]])(
    "is named in full behind %j",
    (args) => {
      expect(withDataFolder({ program: "postgres", args }, "/data").args).toEqual([...args, "-D", "/data"]);
    },
  );
});
