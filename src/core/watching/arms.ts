// From a tally, as isolates report it, to the sums that guardrails compare. Nothing is lost and nothing made up: isolates of
// an earlier deployment report requests and errors alone, and feedback comes in tallies without a request. Feedback that is
// changed later stays as it was first given, for what it was compared in is closed: what takes a count back is left out.

import type { ArmSums } from "../guardrails/arm-sums.ts";
import { SCORE_SCALE, type Sums } from "../metering/sums.ts";
import { comparedOf } from "../metering/tally.ts";
import type { Tally } from "../types.ts";

const NO_SCORES = { units: 0, sum: 0, squares: 0 };

export function armSumsOf(tally: Tally): ArmSums {
  const { sums } = tally;
  const { requests, errors } = comparedOf(tally);
  const counts = sums?.counts ?? {};
  const histograms: Sums["histograms"] = sums?.histograms ?? {};
  const { timeouts = 0 } = counts;
  const { up, down } = sums?.thumbs ?? { up: 0, down: 0 };
  const judge = sums?.judge ?? NO_SCORES;
  return {
    requests,
    counts: {
      // Who left after having waited in vain has failed, too, and stands among the timeouts without an error of its own.
      errors: errors + Math.max(0, timeouts - (sums?.errorClasses.timeout ?? 0)),
      timeouts,
      refusals: counts.refusals ?? 0,
      truncations: counts.truncations ?? 0,
      schema_failures: counts.schemaFailures ?? 0,
    },
    thumbs: up < 0 || down < 0 ? { units: 0, bad: 0 } : { units: up + down, bad: down },
    histograms: {
      first_token: histograms.firstToken ?? {},
      first_token_cached: histograms.firstTokenCached ?? {},
      latency: histograms.latency ?? {},
      latency_cached: histograms.latencyCached ?? {},
      cost: histograms.cost ?? {},
      tokens: histograms.tokens ?? {},
    },
    judge:
      judge.units <= 0
        ? NO_SCORES
        : {
            units: judge.units,
            sum: judge.sum / SCORE_SCALE,
            squares: judge.squares / SCORE_SCALE ** 2,
          },
  };
}
