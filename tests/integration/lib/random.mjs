// Random numbers from a seed, so that what a test of random input found is found again.
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  // 0 ≤ n < 1 (mulberry32).
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  // A whole number from `least` to `most`, both included.
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick(list) {
    return list[this.whole(0, list.length - 1)];
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.whole(0, 255)));
  }

  // `input` with one to four small faults: bytes changed, left out, put in, doubled, swapped, or all after one cut off.
  damaged(input) {
    let bytes = Buffer.from(input);
    for (let faults = this.whole(1, 4); faults > 0 && bytes.length > 0; faults -= 1) {
      const at = this.whole(0, bytes.length - 1);
      const end = Math.min(bytes.length, at + this.whole(1, 8));
      const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
      switch (this.whole(0, 6)) {
        case 0:
          bytes = Buffer.concat([before, this.bytes(piece.length), after]);
          break;
        case 1:
          bytes = Buffer.concat([before, after]);
          break;
        case 2:
          bytes = Buffer.concat([before, this.bytes(this.whole(1, 8)), piece, after]);
          break;
        case 3:
          bytes = Buffer.concat([before, piece, piece, after]);
          break;
        case 4:
          bytes = Buffer.concat([before, after, piece]);
          break;
        case 5:
          bytes = Buffer.concat([before, Buffer.from(this.pick(['"', '{', '}', '[', ']', ',', ':', '\\', '\\u', '0', '-', 'e', '\0', '\r\n', ' '])), piece, after]);
          break;
        default:
          bytes = Buffer.from(before);
      }
    }
    return bytes;
  }
}
