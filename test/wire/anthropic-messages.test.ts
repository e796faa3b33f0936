import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";

describeFormat({
  format: FORMATS["anthropic-messages"],
  smallest: '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
  counts: true,
});
