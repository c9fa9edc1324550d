// The doors of messengers and networks, as each platform knocks: its signature, its handshake, its payloads, and
// whatever else may come through a public address.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sign as octokitSign } from '@octokit/webhooks-methods';
import { caseOf, refused, taken } from './lib/answers.mjs';
import { brand, calm, post, signingKey, urgent } from './lib/brand.mjs';
import { root, start } from './lib/server.mjs';
import * as sign from './lib/sign.mjs';

const { validateSignature: lineValidates } = createRequire(import.meta.url)('@line/bot-sdk');

const hex = (key, signed) => createHmac('sha256', key).update(signed).digest('hex');
const now = () => Math.floor(Date.now() / 1000);

// LINE's library only checks signatures: it must agree with each that is made here.
function line(secret, body) {
  const signature = createHmac('sha256', secret).update(body).digest('base64');
  assert.ok(lineValidates(body, secret, signature));
  return { 'x-line-signature': signature };
}

// GitHub's library signs no empty body.
const hub = async (header, secret, body) => ({ [header]: body === '' ? `sha256=${hex(secret, body)}` : await octokitSign(secret, body) });

// `secret` is its own, and is also what a stranger does not know. `wrong` are headers that look right and are not.
const platforms = {
  linkedin: {
    secrets: 'client_secret',
    signed: (secret, body) => ({ 'x-li-signature': hex(secret, `hmacsha256=${body}`) }),
    alsoSigned: [
      (secret, body) => ({ 'x-li-signature': `hmacsha256=${hex(secret, `hmacsha256=${body}`)}` }),
      (secret, body) => ({ 'x-li-signature': `hmacsha256=${hex(secret, body)}` }),
    ],
    wrong: (secret, body) => [{ 'x-li-signature': hex(secret, body) }, { 'x-li-signature': 'hmacsha256=' }],
    header: 'x-li-signature',
    brand_account: 'urn:li:organization:2414183',
  },
  telegram: {
    secrets: 'secret_token',
    signed: (secret) => ({ 'x-telegram-bot-api-secret-token': secret }),
    wrong: (secret) => [secret.slice(1), `${secret}x`, secret.toUpperCase(), `Bearer ${secret}`].map((value) => ({ 'x-telegram-bot-api-secret-token': value })),
    header: 'x-telegram-bot-api-secret-token',
    bearer: true,
    brand_account: 'acme',
  },
  line: {
    secrets: 'channel_secret',
    signed: line,
    wrong: (secret, body) => [{ 'x-line-signature': hex(secret, body) }, { 'x-line-signature': `sha256=${line(secret, body)['x-line-signature']}` }],
    header: 'x-line-signature',
  },
  viber: {
    secrets: 'auth_token',
    signed: (secret, body) => sign.hmac(secret, body, { header: 'x-viber-content-signature' }),
    wrong: (secret, body) => [sign.hmac(secret, body, { header: 'x-viber-content-signature', encoding: 'base64' }), { 'x-viber-auth-token': secret }],
    header: 'x-viber-content-signature',
    brand_account: 'acme',
  },
  mastodon: {
    secrets: 'webhook_secret',
    signed: (secret, body) => hub('x-hub-signature', secret, body),
    wrong: (secret, body) => [
      { 'x-hub-signature': hex(secret, body) },
      sign.hmac(secret, body, { header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=' }),
      { 'x-hub-signature-256': `sha256=${hex(secret, body)}` },
    ],
    header: 'x-hub-signature',
    brand_account: 'acme',
  },
  tiktok: {
    secrets: 'client_secret',
    signed: (secret, body, t = now()) => ({ 'tiktok-signature': `t=${t},s=${hex(secret, `${t}.${body}`)}` }),
    alsoSigned: [
      (secret, body, t = now()) => ({ 'TikTok-Signature': `t=${t},s=${'0'.repeat(64)},s=${hex(secret, `${t}.${body}`)}` }),
      (secret, body, t = now() - 240) => ({ 'tiktok-signature': `t=${t},s=${hex(secret, `${t}.${body}`)}` }),
    ],
    wrong: (secret, body) => {
      const made = (t, s = hex(secret, `${t}.${body}`)) => ({ 'tiktok-signature': `t=${t},s=${s}` });
      const t = now();
      return [
        made(t - 310), made(t + 310), made(t - 86400), made('x'), made(''), made(-1), made(0), made('99999999999999999999'),
        made(t, hex(secret, body)), { 'tiktok-signature': `s=${hex(secret, `${t}.${body}`)}` },
        { 'tiktok-signature': `t=${t}` }, { 'tiktok-signature': `t=${t},s=` }, { 'tiktok-signature': hex(secret, body) },
        { 'tiktok-signature': `t=${t},t=${t - 1},s=${hex(secret, `${t - 1}.${body}x`)}` }, { 'tiktok-signature': ',,==,' },
      ];
    },
    header: 'tiktok-signature',
    brand_account: 'acme',
  },
  'tiktok-relay': {
    secrets: 'signing_key',
    secret: signingKey,
    stranger: `whsec_${Buffer.from('the key of somebody else altogether').toString('base64')}`,
    signed: (secret, body) => sign.standardWebhooks(secret, body),
    wrong: (secret, body) => [sign.hmac(secret, body), sign.hmac(secret, body, { header: 'webhook-signature', prefix: 'v1,', encoding: 'base64' })],
    header: 'webhook-signature',
    ours: true,
    brand_account: 'acme',
  },
  'bluesky-relay': {
    secrets: 'hmac_key',
    settings: { header: 'X-Relay-Signature', prefix: 'sha256=' },
    signed: (secret, body) => hub('x-relay-signature', secret, body),
    wrong: (secret, body) => [sign.hmac(secret, body), { 'x-relay-signature': hex(secret, body) }, sign.standardWebhooks(signingKey, body)],
    header: 'x-relay-signature',
    ours: true,
    brand_account: 'acme',
  },
};
const names = Object.keys(platforms);
for (const [name, one] of Object.entries(platforms)) {
  one.secret ??= `${name}-secret-of-the-tests-0123456789abcdef`;
  one.older ??= one.ours && one.secrets === 'signing_key' ? `whsec_${Buffer.from('an older key of the tests, 36 bytes!').toString('base64')}` : `older-${one.secret}`;
  one.stranger ??= `strange-${one.secret}`;
}

// Each has two doors: one for the tests of single messages, one for all the payloads.
const config = brand({
  more: {
    sources: [
      ...names.flatMap((use) => {
        const { secrets, secret, older, settings, brand_account } = platforms[use];
        return [use, `${use}-all`].map((name) => ({ name, use, secrets: { [secrets]: [secret, older] }, ...settings, ...(brand_account ? { brand_account } : {}) }));
      }),
      { name: 'mastodon-nobody', use: 'mastodon', secrets: { webhook_secret: platforms.mastodon.secret } },
    ],
    limits: { requests_per_minute: { address: 0 } },
  },
});

let server;
let token;
before(async () => {
  server = await start(config);
  token = await server.token('admin');
});
after(() => server?.remove());

const json = { 'content-type': 'application/json' };
const knock = (source, body, headers = {}) => server.request(`/v1/hooks/${source}`, { body, headers: { ...json, ...headers } });
const deliver = async (use, payload, { source = use, key = platforms[use].secret, signed = platforms[use].signed } = {}) => {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return knock(source, body, await signed(key, body));
};
const read = (path) => readFile(join(root, 'tests/fixtures', `${path}.json`), 'utf8');
const fixture = async (path) => JSON.parse(await read(path));
const fixtures = async (use) => (await readdir(join(root, 'tests/fixtures', use))).filter((name) => name.endsWith('.json') && !name.endsWith('.expected.json')).map((name) => name.slice(0, -5));
const rows = (source) => server.sql(`SELECT * FROM posts WHERE source = '${source}' ORDER BY rowid`);
const stored = async (source, id) => (await rows(source)).filter((row) => row.native_id === id);
const row = async (source, id) => {
  const found = await stored(source, id);
  assert.equal(found.length, 1, `${source} ${id}`);
  return found[0];
};
const theCase = (id) => caseOf(server, token, id);

let counter = 0;
const fresh = () => `${process.pid}${String((counter += 1)).padStart(6, '0')}`;

// A message of each platform, with an id and words.
const message = {
  linkedin: (id, text) => ({
    type: 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS',
    notifications: [{
      notificationId: Number(id), organizationalEntity: 'urn:li:organization:2414183', action: 'COMMENT', sourcePost: 'urn:li:activity:1', lastModifiedAt: Date.now(), subscriber: 'urn:li:person:x',
      generatedActivity: id, decoratedGeneratedActivity: { comment: { owner: `urn:li:person:p${id}`, text, entity: `urn:li:comment:(urn:li:activity:1,${id})`, object: 'urn:li:activity:1' } },
    }],
  }),
  telegram: (id, text) => ({ update_id: Number(id), message: { message_id: Number(id), from: { id: Number(id), is_bot: false, first_name: 'Kay' }, chat: { id: Number(id), type: 'private', first_name: 'Kay' }, date: now(), text } }),
  line: (id, text) => ({ destination: 'Uacme', events: [{ type: 'message', message: { id, type: 'text', text, quoteToken: 'q' }, webhookEventId: `01${id}`, deliveryContext: { isRedelivery: false }, timestamp: Date.now(), source: { type: 'user', userId: `U${id}` }, mode: 'active', replyToken: 'r' }] }),
  viber: (id, text) => ({ event: 'message', timestamp: Date.now(), message_token: Number(id), sender: { id: `${id}=`, name: 'Ivana' }, message: { type: 'text', text } }),
  mastodon: (id, text) => ({
    event: 'status.created', created_at: new Date().toISOString(),
    object: { id, created_at: new Date().toISOString(), visibility: 'public', spoiler_text: '', edited_at: null, content: `<p>${text}</p>`, reblog: null, account: { id: `1${id}`, acct: `h${id}`, display_name: '', followers_count: 3 }, mentions: [{ id: '1', acct: 'acme', username: 'acme', url: 'https://social.example/@acme' }], media_attachments: [] },
  }),
  tiktok: (id, text) => ({ client_key: 'k', event: 'comment.update', create_time: now(), user_openid: 'act.1', content: JSON.stringify({ comment_id: Number(id), video_id: 7, comment_type: 'comment', comment_action: 'insert', timestamp: now(), unique_identifier: `u${id}`, text }) }),
  'tiktok-relay': (id, text) => post({ native_id: id, platform: undefined, text }),
  'bluesky-relay': (id, text) => post({ native_id: id, platform: undefined, text }),
};
const idOf = (use, id) => (use === 'telegram' ? `${id}:${id}` : id);

// First, while nothing else is on the cases.
describe('what becomes of it', () => {
  test('Telegram: an edit changes the words, a deletion takes them away, our answer stands on the case', async () => {
    const [asked] = taken(await deliver('telegram', await read('telegram/business_message')));
    const [answered] = taken(await deliver('telegram', await read('telegram/business_message_own')));
    assert.equal(answered.case_id, asked.case_id);
    assert.deepEqual((await theCase(asked.case_id)).replies.map((one) => one.text), ['Until six, Kay.']);
    taken(await deliver('telegram', await read('telegram/edited_business_message')));
    assert.equal((await row('telegram', 'bc_71:710044551:31')).text, 'Is the shop open tomorrow?');
    taken(await deliver('telegram', await read('telegram/business_message')), { accepted: 0, duplicates: 1 });
    taken(await deliver('telegram', await read('telegram/deleted_business_messages')), { accepted: 2 });
    assert.deepEqual(await row('telegram', 'bc_71:710044551:31').then((one) => [one.state, one.text]), ['deleted', '']);

    // The bot's own chat with the same person is another one, though its message has the same number.
    const [direct] = taken(await deliver('telegram', await read('telegram/message')));
    assert.equal(direct.native_id, '710044551:31');
    assert.equal((await row('telegram', '710044551:31')).state, 'judged');
  });

  test('LINE: a redelivery is a duplicate, and a message that was unsent does not come back', async () => {
    const [one] = taken(await deliver('line', await read('line/text')));
    const [again] = taken(await deliver('line', await read('line/redelivered')), { accepted: 0, duplicates: 1 });
    assert.equal(again.id, one.id);
    taken(await deliver('line', await read('line/unsend')), { accepted: 2 });
    assert.equal((await row('line', one.native_id)).text, '');
    taken(await deliver('line', await read('line/redelivered')), { accepted: 0, duplicates: 1 });
    assert.equal((await row('line', one.native_id)).state, 'deleted');
    // The other deletion came before its message.
    taken(await deliver('line', await read('line/group')), { accepted: 1, duplicates: 1 });
  });

  test('Mastodon: HTML is text, an edit is followed, and our reply stands on the case', async () => {
    const [mention] = taken(await deliver('mastodon', await read('mastodon/mention')));
    const opened = await theCase(mention.case_id);
    assert.ok(!/[<>]|&amp;|class=/.test(opened.posts[0].text), opened.posts[0].text);
    assert.match(opened.posts[0].text, /stuck & nobody tells us why\nIt is cold\./);
    assert.equal(opened.customer.handle, 'lena');
    const [edited] = taken(await deliver('mastodon', await read('mastodon/mention_edited')));
    assert.equal(edited.id, mention.id);
    assert.match((await row('mastodon', mention.native_id)).text, /Lübeck/);
    const [reply] = taken(await deliver('mastodon', await read('mastodon/own_reply')));
    assert.equal(reply.case_id, mention.case_id);
    const before = (await rows('mastodon')).length;
    taken(await deliver('mastodon', await read('mastodon/to_others')), { accepted: 0, ignored: 3 });
    assert.equal((await rows('mastodon')).length, before, 'nothing of what others say to each other is stored');
    taken(await deliver('mastodon', await read('mastodon/mention'), { source: 'mastodon-nobody' }), { accepted: 0, ignored: 1 });
  });

  test('LinkedIn: comments come with their words or wait for them; edits and deletions are followed', async () => {
    const [comment] = taken(await deliver('linkedin', await read('linkedin/comment')));
    const changes = await fixture('linkedin/comment_edited_deleted');
    const only = (k) => ({ ...changes, notifications: [changes.notifications[k]] });
    taken(await deliver('linkedin', only(0)));
    assert.match((await row('linkedin', comment.native_id)).text, /four weeks/);
    taken(await deliver('linkedin', only(1)), { accepted: 0, duplicates: 1 });
    assert.match((await row('linkedin', comment.native_id)).text, /four weeks/, 'an edit without its text takes none away');
    taken(await deliver('linkedin', only(2)));
    assert.equal((await row('linkedin', comment.native_id)).state, 'deleted');
    const [waiting] = taken(await deliver('linkedin', await read('linkedin/comment_ids_only')));
    assert.equal((await row('linkedin', waiting.native_id)).state, 'pending');
  });

  test('TikTok: 19 digits keep their last, a deletion is followed', async () => {
    const [comment] = taken(await deliver('tiktok', await read('tiktok/comment')));
    assert.equal(comment.native_id, '7412345678901239991');
    const [own] = taken(await deliver('tiktok', await read('tiktok/comment_own')));
    assert.equal(own.case_id, comment.case_id);
    assert.equal((await row('tiktok', own.native_id)).state, 'own');
    taken(await deliver('tiktok', await read('tiktok/comment_deleted')));
    assert.equal((await row('tiktok', comment.native_id)).state, 'deleted');
  });
});

for (const use of names) {
  const { secret, older, stranger, signed, alsoSigned = [], wrong, header, bearer, ours } = platforms[use];

  describe(use, () => {
    test('what is signed by the platform becomes a case, with the secret of today and the one before it', async () => {
      for (const [key, text] of [[secret, urgent], [older, calm]]) {
        const id = fresh();
        const [one] = taken(await deliver(use, message[use](id, text), { key }));
        assert.equal(one.native_id, idOf(use, id));
        const found = await theCase(one.case_id);
        assert.equal(found.platform, use.replace('-relay', ''));
        assert.equal(found.posts[0].text, text);
        assert.ok(found.posts[0].verdict.moment);
      }
      for (const other of alsoSigned) taken(await deliver(use, message[use](fresh(), calm), { signed: other }));
    });

    test('no signature, a wrong one, or one by another secret is 401, and nothing is stored', async () => {
      const before = await rows(use);
      const body = JSON.stringify(message[use](fresh(), calm));
      const good = await signed(secret, body);
      refused(await knock(use, body), 401);
      refused(await knock(use, body, await signed(stranger, body)), 401);
      refused(await knock(use, body, { ...good, [header]: '' }), 401);
      for (const headers of wrong(secret, body)) refused(await knock(use, body, headers), 401);
      for (const other of names.filter((name) => name !== use)) {
        refused(await knock(use, body, await platforms[other].signed(platforms[other].secret, body)), 401);
      }
      if (!bearer) {
        refused(await knock(use, `${body} `, good), 401);
        refused(await knock(use, body.replace('lost', 'lo5t'), good), 401);
        refused(await knock(use, body, { ...good, [header]: good[header].slice(0, -3) }), 401);
        refused(await knock(use, body, { ...good, [header]: `${good[header]}0` }), 401);
      }
      assert.deepEqual(await rows(use), before);
      taken(await knock(use, body, good));
    });

    test('the same request once more is a duplicate; so it is by many at the same time', async () => {
      const id = fresh();
      const body = JSON.stringify(message[use](id, calm));
      const headers = await signed(secret, body);
      const [first] = taken(await knock(use, body, headers));
      const [second] = taken(await knock(use, body, headers), { accepted: 0, duplicates: 1 });
      assert.equal(second.id, first.id);
      const racing = JSON.stringify(message[use](fresh(), calm));
      const answers = await Promise.all(Array.from({ length: 12 }, async () => knock(use, racing, await signed(secret, racing))));
      assert.equal(answers.reduce((sum, answer) => sum + answer.body.accepted, 0), 1);
      assert.equal((await stored(use, idOf(use, id))).length, 1);
    });

    test('what is no JSON is 400; other methods are 405', async () => {
      for (const body of ['', '{', 'nonsense', '[[', '\0', '{"a":"\u0001"}', '['.repeat(50_000)]) refused(await deliver(use, body), 400);
      for (const method of ['PUT', 'DELETE', 'PATCH']) refused(await server.request(`/v1/hooks/${use}`, { method }), 405);
    });

    test('every payload that the mappings are tested on is taken through the door, and the second time nothing is new', async () => {
      const files = await fixtures(use);
      assert.ok(files.length >= (ours ? 1 : 8), `${files}`);
      for (const file of files) {
        const body = await read(`${use}/${file}`);
        const expected = await fixture(`${use}/${file}.expected`);
        const answer = await deliver(use, body, { source: `${use}-all` });
        assert.equal(answer.status, 200, `${file}: ${answer.text}`);
        assert.equal(answer.body.accepted + answer.body.duplicates, expected.events.length, file);
        assert.equal(answer.body.ignored, expected.ignored, file);
        const before = await rows(`${use}-all`);
        const again = await deliver(use, body, { source: `${use}-all` });
        assert.equal(again.status, 200, `${file}: ${again.text}`);
        assert.equal(again.body.accepted, 0, `${file}: ${again.text}`);
        assert.deepEqual(await rows(`${use}-all`), before, file);
      }
    });

    test('fields that are missing, null, of another type or hostile are never a 5xx', async () => {
      const instead = [null, 7, -1.5e300, true, '', '‮\u{1F6EB}<script>alert(1)</script>', "'; DROP TABLE posts; --", [], {}, 'x'.repeat(70_000)];
      const whole = message[use](fresh(), calm);
      // Every place of the document, one after the other; and of TikTok's JSON within a string too.
      const places = [];
      const walk = (node, path) => {
        if (node && typeof node === 'object') {
          for (const key of Object.keys(node)) {
            places.push([...path, key]);
            walk(node[key], [...path, key]);
          }
        }
      };
      const inner = typeof whole.content === 'string' ? JSON.parse(whole.content) : undefined;
      const document = inner ? { ...whole, content: inner } : whole;
      walk(document, []);
      const sealed = (value) => (inner && value.content && typeof value.content === 'object' ? { ...value, content: JSON.stringify(value.content) } : value);
      let tried = 0;
      const tries = [];
      for (const place of places) {
        for (const value of [undefined, ...instead]) {
          const changed = structuredClone(document);
          let at = changed;
          for (const key of place.slice(0, -1)) at = at[key];
          at[place.at(-1)] = value;
          tries.push(sealed(changed));
        }
      }
      for (let i = 0; i < tries.length; i += 16) {
        const answers = await Promise.all(tries.slice(i, i + 16).map((one) => deliver(use, one)));
        for (const [k, answer] of answers.entries()) {
          assert.ok(answer.status === 200 || (ours && answer.status === 422), `${answer.status} ${answer.text} for ${JSON.stringify(tries[i + k]).slice(0, 400)}`);
          tried += 1;
        }
      }
      assert.ok(tried > 50);
      for (const odd of [null, 7, 'text', true, [], {}, [null], [[]], [7, 'x']]) {
        const answer = await deliver(use, odd);
        assert.ok(answer.status < 500, `${answer.status} ${answer.text} for ${JSON.stringify(odd)}`);
      }
      assert.equal((await server.request('/readyz')).status, 200);
      taken(await deliver(use, message[use](fresh(), calm)));
    });
  });
}

describe('what no rule knows', () => {
  const unknown = {
    linkedin: [{ type: 'SOMETHING_NEW', a: 1 }, { type: 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS', notifications: [{ action: 'WAVE', generatedActivity: 'urn:li:x:1' }] }],
    telegram: [{ update_id: 1, something_new: { id: 1 } }, { update_id: 2, message: { message_id: 1, chat: { id: 1, type: 'private' }, date: 1, something_new: {} } }],
    line: [{ destination: 'U', events: [{ type: 'somethingNew', source: { type: 'user', userId: 'U' }, timestamp: 1 }] }, { destination: 'U', events: [] }],
    viber: [{ event: 'something_new', timestamp: 1, message_token: 2 }, { event: 'webhook', timestamp: 1, message_token: 3 }],
    mastodon: [{ event: 'something.new', object: { id: '1' } }, { event: 'account.created', object: { id: '1' } }],
    tiktok: [{ client_key: 'k', event: 'something.new', create_time: 1, user_openid: 'o', content: '{}' }, { client_key: 'k', event: 'tiktok.ping', create_time: 1, user_openid: 'o', content: 'not JSON' }],
  };
  for (const [use, payloads] of Object.entries(unknown)) {
    test(`of ${use}: 200, and counted as ignored`, async () => {
      const before = await rows(use);
      for (const payload of payloads) taken(await deliver(use, payload), { accepted: 0, ignored: 1 });
      assert.deepEqual(await rows(use), before);
    });
  }
});

describe('handshakes', () => {
  const challenge = (code) => server.request(`/v1/hooks/linkedin?${new URLSearchParams(code === undefined ? {} : { challengeCode: code })}`);

  test("LinkedIn's challenge is answered with its HMAC, by the newest secret", async () => {
    const code = '890e4665-4dfe-4ab1-b689-ed553bceeed0';
    const answer = await challenge(code);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers.get('content-type'), /^application\/json/);
    assert.deepEqual(answer.body, { challengeCode: code, challengeResponse: hex(platforms.linkedin.secret, code) });
  });

  test('nothing else is signed: an answer would be a signature', async () => {
    refused(await challenge(undefined), 400);
    for (const code of ['', 'x', '{"type":1}', 'hmacsha256={}', '890e4665-4dfe-4ab1-b689-ed553bceeed', '890e4665-4dfe-4ab1-b689-ed553bceeed0 ', 'g90e4665-4dfe-4ab1-b689-ed553bceeed0', '<script>', 'a\r\nSet-Cookie: x']) {
      const answer = await challenge(code);
      refused(answer, 400);
      assert.ok(code === '' || code === 'x' || !answer.text.includes(code));
    }
  });

  test('the others have none: GET is 405', async () => {
    for (const use of names.filter((name) => name !== 'linkedin')) {
      refused(await server.request(`/v1/hooks/${use}?hub.challenge=1&challenge=1&challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0`), 405);
    }
  });
});

describe('who looks at it from outside', () => {
  test('no secret is to be seen anywhere', async () => {
    const { text: metrics } = await server.request('/metrics', { token });
    const { text: listed } = await server.request('/v1/sources', { token });
    for (const { secret, older } of Object.values(platforms)) {
      for (const where of [metrics, listed, server.log()]) assert.ok(!where.includes(secret) && !where.includes(older));
    }
  });
});
