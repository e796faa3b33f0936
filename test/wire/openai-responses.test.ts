import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";

describeFormat({
  format: FORMATS["openai-responses"],
  smallest: `{"model":"m","input":"hi"}`,
  counts: true,
});
