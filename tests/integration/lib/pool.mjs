// Runs `work` for each of `items`, at most `width` at a time, and gives what came out, in order.
export async function each(items, work, { width = 16 } = {}) {
  const list = [...items];
  const out = new Array(list.length);
  let at = 0;
  const worker = async () => {
    while (at < list.length) {
      const i = at;
      at += 1;
      out[i] = await work(list[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, worker));
  return out;
}
