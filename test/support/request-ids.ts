// The two kinds of `Prompt-Request-Id`: that of a turn that a version was decided for, and that of everything else.

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

export const PLAIN_ID = new RegExp(`^${UUID}$`);
export const SIGNED_ID = new RegExp(
  `^[a-z0-9][a-z0-9_-]*\\.[a-z0-9][a-z0-9_-]*\\.\\d+v\\d+[bcp][tspdnf][fl]\\.[0-9a-z]+\\.${UUID}\\.[\\w-]{16}$`,
);
