// Posts in other languages over the wire: six are judged, any other waits for a person, marked with its language.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brand, post, send } from './lib/brand.mjs';
import { start } from './lib/server.mjs';

let server;
let agent;
before(async () => {
  server = await start(brand());
  agent = await server.token('agent', { name: 'ann' });
});
after(() => server?.remove());

const queued = async (fields) => {
  const answer = await send(server, post(fields));
  assert.equal(answer.status, 200, answer.text);
  return answer.body.posts[0].case_id;
};
const queue = async (language) => {
  const answer = await server.request(`/v1/queue?limit=200&language=${language}`, { token: agent });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.items;
};

test('a post in a language that was not learnt is queued, marked, and says that nobody judged it', async () => {
  for (const [language, text] of [
    ['ja', '電車が2時間止まっています。誰も説明してくれません'],
    ['ar', 'القطار متوقف منذ ساعتين ولا أحد يخبرنا بشيء'],
    ['pl', 'Pociąg stoi w polu od dwóch godzin i nikt nic nie mówi'],
  ]) {
    const id = await queued({ text });
    const items = await queue(language);
    const item = items.find((one) => one.id === id);
    assert.ok(item, `${language}: in the queue under its language`);
    assert.equal(item.priority, 'normal');
    const { verdict } = item.posts[0];
    assert.equal(verdict.language, language);
    assert.equal(verdict.judge, 'fast');
    assert.ok(verdict.actionable && verdict.actionable_confidence <= 0.6 && verdict.moment_confidence <= 0.6);
    assert.ok(verdict.reasons.some((reason) => reason.for === 'language' && reason.cue === `${language}: not judged, read by a person`));
  }
});

test('a post in a learnt language is judged, by the fast judge, and waits for no second look', async () => {
  const id = await queued({ text: 'llevamos tres horas parados en el tren y nadie nos dice nada, ayuda' });
  const item = (await queue('es')).find((one) => one.id === id);
  assert.ok(item);
  assert.equal(item.moment, 'in_the_moment');
  assert.equal(item.posts[0].verdict.judge, 'fast');
  assert.ok(!item.posts[0].verdict.reasons.some((reason) => reason.for === 'language'));
});
