import { decodeHead } from "../../src/codec/head.ts";
import { partitionOf } from "../../src/codec/row-id.ts";
import type { Target } from "../../src/engine/pipeline-target.ts";
import { TapeError } from "../../src/errors.ts";
import {
  accept,
  acceptReading,
  bodyText,
  type Decide,
  type HeadEvent,
  type JournalEvent,
  type RowRules,
} from "../../src/journal/row.ts";
import type { RowId } from "../../src/model/row.ts";
