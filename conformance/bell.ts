// Cases wait for what they can observe: every byte and every closing on either side rings, and a wait looks again. No
// case sleeps until "it must be there by now"; a deadline only says when to give up.

export type Bell = {
  ring(): void;
  /** The first value of `look` that is neither false, null nor undefined; null after `deadlineMs`. */
  waitFor<Value>(look: () => Value, deadlineMs: number): Promise<Exclude<Value, false | undefined> | null>;
};

export function hangBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const look of waiting) look();
    },
    waitFor<Value>(look: () => Value, deadlineMs: number) {
      return new Promise<Exclude<Value, false | undefined> | null>((resolve) => {
        const settle = (value: Exclude<Value, false | undefined> | null) => {
          waiting.delete(again);
          clearTimeout(timer);
          resolve(value);
        };
        const again = () => {
          const value = look();
          if (value !== false && value !== null && value !== undefined) settle(value as never);
        };
        const timer = setTimeout(() => settle(null), deadlineMs);
        waiting.add(again);
        again();
      });
    },
  };
}
