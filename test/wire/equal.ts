// Deep equality of JSON values, cheap enough for hundreds of thousands of bodies. Unlike JSON texts it tells −0 from 0 and
// does not look at the order of members.

export function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(other, name) &&
      isEqual((one as { [name: string]: unknown })[name], (other as { [name: string]: unknown })[name]),
  );
}
