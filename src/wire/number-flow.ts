// A JSON number, byte by byte.

const START = 0;
const SIGN = 1;
const ZERO = 2;
const WHOLE = 3;
const POINT = 4;
const FRACTION = 5;
const EXPONENT = 6;
const EXPONENT_SIGN = 7;
const EXPONENT_DIGITS = 8;

export class NumberFlow {
  private state = START;

  begin(): void {
    this.state = START;
  }

  /** True: the byte belongs to the number. */
  take(byte: number): boolean {
    const next = byte >= 0x30 && byte <= 0x39 ? this.afterDigit(byte) : this.afterOther(byte);
    if (next < 0) return false;
    this.state = next;
    return true;
  }

  /** Is what was taken a number? */
  isWhole(): boolean {
    const { state } = this;
    return state === ZERO || state === WHOLE || state === FRACTION || state === EXPONENT_DIGITS;
  }

  private afterDigit(byte: number): number {
    switch (this.state) {
      case START:
      case SIGN:
        return byte === 0x30 ? ZERO : WHOLE;
      case ZERO:
        return -1;
      case POINT:
      case FRACTION:
        return FRACTION;
      case WHOLE:
        return WHOLE;
      default:
        return EXPONENT_DIGITS;
    }
  }

  private afterOther(byte: number): number {
    const { state } = this;
    if (byte === 0x2d && state === START) return SIGN;
    if (byte === 0x2e && (state === ZERO || state === WHOLE)) return POINT;
    if (byte === 0x65 || byte === 0x45) {
      return state === ZERO || state === WHOLE || state === FRACTION ? EXPONENT : -1;
    }
    return (byte === 0x2b || byte === 0x2d) && state === EXPONENT ? EXPONENT_SIGN : -1;
  }
}
