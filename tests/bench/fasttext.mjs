// What fastText (Debian's `fasttext`) makes of the same posts: trained on the same corpus, asked about the same labels,
// beside both judges in the same run. Quality on labelled posts, and microseconds a post on one core. Run by hand:
//
//   node tests/bench/fasttext.mjs --data POSTS.tsv [--train config/corpus/corpus.tsv] [--core 0]
//
// Needs fasttext and a release build (build/release/triaged).
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const options = { train: path.join(root, 'config/corpus/corpus.tsv'), data: '', core: '0' };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].replace(/^--/, '')] = process.argv[i + 1];
if (!options.data) throw new Error('--data names the labelled posts to measure on');
const triaged = process.env.TRIAGED ?? path.join(root, 'build/release/triaged');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'triaged-fasttext-'));

function run(command, args, { input, quiet = true } = {}) {
  const from = process.hrtime.bigint();
  const done = spawnSync('taskset', ['-c', options.core, command, ...args], {
    input,
    maxBuffer: 1 << 28,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit'],
  });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${done.status}`);
  return { out: done.stdout, seconds: Number(process.hrtime.bigint() - from) / 1e9 };
}

function read(file) {
  const [head, ...lines] = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i], value])));
}

// What its own documentation recommends for such text: words in lower case, punctuation apart.
const words = (text) => text.toLowerCase().replace(/https?:\S+|@\w+/g, ' ').replace(/([^\p{L}\p{N}\s])/gu, ' $1 ').replace(/\s+/g, ' ').trim();

const labels = {
  moment: { of: (row) => row.moment, two: ['in_the_moment', 'after_the_fact'] },
  actionable: { of: (row) => row.actionable, positive: '1' },
  'urgency >= 2': { of: (row) => (row.urgency === '' ? '' : Number(row.urgency) >= 2 ? '1' : '0'), positive: '1' },
  'urgency = 3': { of: (row) => (row.urgency === '' ? '' : row.urgency === '3' ? '1' : '0'), positive: '1' },
  intent: { of: (row) => row.intent },
  topic: { of: (row) => row.topic },
};

function f1(pairs, value) {
  const hit = pairs.filter(([truth, said]) => truth === value && said === value).length;
  const wrong = pairs.filter(([truth, said]) => (truth === value) !== (said === value)).length;
  return (2 * hit) / (2 * hit + wrong || 1);
}

const train = read(options.train);
const data = read(options.data);
const result = {};
let perPost = 0;
for (const [name, { of, positive, two }] of Object.entries(labels)) {
  const learn = path.join(work, 'learn.txt');
  const model = path.join(work, 'model');
  fs.writeFileSync(
    learn,
    train.filter((row) => of(row)).map((row) => `__label__${of(row)} ${words(row.text)}\n`).join(''),
  );
  run('fasttext', ['supervised', '-input', learn, '-output', model, '-wordNgrams', '2', '-minn', '2', '-maxn', '5',
    '-dim', '50', '-epoch', '10', '-lr', '0.3', '-thread', '1', '-bucket', '500000']);
  const rows = data.filter((row) => (two ? two.includes(of(row)) : of(row)));
  const input = rows.map((row) => `${words(row.text)}\n`).join('');
  // As many answers as there are values, so that "in the moment or after the fact" can leave the third value out.
  const ask = (text) => run('fasttext', ['predict-prob', `${model}.bin`, '-', two ? '3' : '1'], { input: text });
  const once = ask(input);
  const many = ask(input.repeat(10));
  perPost += (1e6 * (many.seconds - once.seconds)) / (9 * rows.length);
  const said = once.out.trimEnd().split('\n').map((line) => {
    const given = line.split(' ').filter((_, i) => i % 2 === 0).map((label) => label.replace('__label__', ''));
    return two ? given.find((value) => two.includes(value)) : given[0];
  });
  const pairs = rows.map((row, i) => [of(row), said[i]]);
  const values = two ?? (positive ? [positive] : [...new Set(pairs.map(([truth]) => truth))]);
  result[name] = values.reduce((sum, value) => sum + f1(pairs, value), 0) / values.length;
}
fs.rmSync(work, { recursive: true });

const percent = (x) => x.toFixed(3);
console.log('fastText, six models (words 1-2, letters 2-5), F1 as in `triaged evaluate`:');
for (const [name, score] of Object.entries(result)) console.log(`  ${name.padEnd(14)} ${percent(score)}`);
console.log(`  all six labels: ${perPost.toFixed(1)} microseconds a post, one core, models loaded before`);
for (const judge of ['fast', 'deep']) {
  console.log(`\ntriaged, judge ${judge}:`);
  console.log(run(triaged, ['evaluate', '--judge', judge, '--data', options.data], { quiet: false }).out);
}
