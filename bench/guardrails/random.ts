// Random numbers with a seed (sfc32), so that a simulation gives the same figures everywhere.

export type Random = {
  uniform(): number;
  normal(): number;
  binomial(trials: number, chance: number): number;
};

export function createRandom(seed: number): Random {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  let spare: number | null = null;
  const uniform = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let index = 0; index < 20; index += 1) uniform();
  const normal = () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const binomial = (trials: number, chance: number) => {
    let hits = 0;
    for (let index = 0; index < trials; index += 1) if (uniform() < chance) hits += 1;
    return hits;
  };
  return { uniform, normal, binomial };
}
