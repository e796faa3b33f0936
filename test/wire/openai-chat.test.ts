import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";

describeFormat({
  format: FORMATS["openai-chat"],
  smallest: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  counts: false,
});
