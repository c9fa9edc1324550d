// Review platforms, shops, mail, chat and relays: each at its own door over real HTTP, with credentials made by others'
// code, and what becomes of what they send.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sign as octokitSign } from '@octokit/webhooks-methods';
import XHubSignature from 'x-hub-signature';
import { caseOf, refused as refusedAs, taken } from './lib/answers.mjs';
import { brand, signingKey } from './lib/brand.mjs';
import { root, start } from './lib/server.mjs';
import * as sign from './lib/sign.mjs';

const olderKey = `whsec_${Buffer.from('an older key of the relays, 32 bytes').toString('base64')}`;
const hmacKey = 'a relay that knows no standard';
const user = 'reviews';
const password = 'p:ss wörd & more';
const olderPassword = 'the password before';
const hubSecret = 'hub secret of the tests';
const pushToken = 'c2VjcmV0LXRva2VuLW9mLXRoZS10ZXN0cw-_~.';
const chatSecret = 'chat-secret-of-the-tests';

const relays = ['youtube', 'reddit', 'tripadvisor', 'yelp', 'app-store', 'google-play'].map((platform) => `${platform}-relay`);
const secretsOf = {
  trustpilot: { user, password: [password, olderPassword] },
  email: { user, password: [password, olderPassword] },
  youtube: { hub_secret: [hubSecret, 'the hub secret before'] },
  'google-reviews': { push_token: [pushToken, 'the-token-before-this-one-0123456789'] },
  'web-chat': { webhook_secret: [chatSecret, 'the chat secret before'] },
  ...Object.fromEntries(relays.map((name) => [name, { signing_key: [signingKey, olderKey], hmac_key: hmacKey }])),
};
const platforms = Object.keys(secretsOf);
const mapped = platforms.filter((name) => !relays.includes(name));

const folder = (name) => join(root, 'tests/fixtures', name);
// What the mappings' own tests are configured with, where that is not the usual.
const accountOf = async (name) => JSON.parse(await readFile(join(folder(name), 'config.json'), 'utf8').catch(() => '{}')).brand_account ?? 'acme';

// Three doors for each: one for the stories, one for the credentials, one for every payload that the mappings are
// tested on.
const sources = (await Promise.all(platforms.map(async (name) => {
  const brand_account = await accountOf(name);
  return ['', '-door', '-all'].map((more) => ({ name: name + more, use: name, secrets: secretsOf[name], brand_account }));
}))).flat();
const config = brand({ more: { sources, limits: { requests_per_minute: { address: 0 } } } });

let server;
let token;
before(async () => {
  server = await start(config);
  token = await server.token('admin');
});
after(() => server?.remove());

// HTTP Basic as Node's own client makes it, from an address such as https://user:password@host/.
function basicHeader(name, secret) {
  const made = httpRequest({ host: '127.0.0.1', port: 1, auth: `${name}:${secret}` });
  made.on('error', () => {});
  const header = made.getHeader('authorization');
  made.destroy();
  return { authorization: header };
}

const seconds = () => Math.floor(Date.now() / 1000);

// What a request must carry: {headers, query}. `secret` is the secret to use instead of ours.
const credentials = {
  trustpilot: (body, secret = password) => ({ headers: basicHeader(user, secret) }),
  email: (body, secret = password) => ({ headers: basicHeader(user, secret) }),
  youtube: (body, secret = hubSecret) => ({ headers: { 'x-hub-signature': new XHubSignature('sha1', secret).sign(body) } }),
  'google-reviews': (body, secret = pushToken) => ({ query: `?${new URLSearchParams({ token: secret })}` }),
  'web-chat': async (body, secret = chatSecret, at = seconds()) => ({
    headers: { 'x-chatwoot-timestamp': String(at), 'x-chatwoot-signature': await octokitSign(secret, `${at}.${body}`) },
  }),
  ...Object.fromEntries(relays.map((name) => [name, (body, secret = signingKey) => ({ headers: sign.standardWebhooks(secret, body) })])),
};
const older = {
  trustpilot: olderPassword,
  email: olderPassword,
  youtube: 'the hub secret before',
  'google-reviews': 'the-token-before-this-one-0123456789',
  'web-chat': 'the chat secret before',
  ...Object.fromEntries(relays.map((name) => [name, olderKey])),
};
const strangers = (name) => (relays.includes(name) ? `whsec_${Buffer.from('the key of somebody else altogether').toString('base64')}` : 'the secret of somebody else');

const kindOfBody = (name) => (name.startsWith('youtube') && !name.startsWith('youtube-relay') ? 'application/atom+xml' : 'application/json');
const knock = (source, body, { headers = {}, query = '' } = {}) =>
  server.request(`/v1/hooks/${source}${query}`, { method: 'POST', body, headers: { 'content-type': kindOfBody(source), ...headers } });
const deliver = async (source, body) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return knock(source, text, await credentials[source.replace(/-(all|door)$/, '')](text));
};

// What is polled does not come to the door.
const payloads = async (name) =>
  (await readdir(folder(name))).filter((file) => !file.includes('.expected.') && !file.startsWith('pull-') && file !== 'config.json').sort();
const fixture = (name, file) => readFile(join(folder(name), file.includes('.') ? file : `${file}.json`), 'utf8');
const stored = (source, nativeId) => server.sql(`SELECT * FROM posts WHERE source = '${source}' AND native_id = '${nativeId}'`);
const count = async () => (await server.sql('SELECT count(*) AS n FROM posts'))[0].n;
const theCase = (id) => caseOf(server, token, id);

// No refusal repeats a secret.
function refused(answer, status) {
  const problem = refusedAs(answer, status);
  for (const secret of [password, olderPassword, hubSecret, pushToken, chatSecret, hmacKey, signingKey]) {
    assert.ok(!answer.text.includes(secret));
  }
  return problem;
}

// First of all: afterwards the same people have written more, at the other doors.
describe('what becomes of it', () => {
  test('Trustpilot: a review is a case with its stars; it is changed, answered and deleted', async () => {
    const source = 'trustpilot';
    const [review] = taken(await deliver(source, await fixture(source, 'service_review_created')), { accepted: 1 });
    const id = review.native_id;
    const opened = await theCase(review.case_id);
    assert.deepEqual([opened.platform, opened.customer.name, opened.posts[0].kind], ['trustpilot', 'Tomas R', 'review']);
    let [row] = await stored(source, id);
    assert.deepEqual([row.rating, row.text, row.url], [1, 'Parcel never came\n\nThree weeks and nobody answers the phone.', `https://www.trustpilot.com/reviews/${id}`]);

    taken(await deliver(source, await fixture(source, 'company_reply')), { accepted: 2 });
    [row] = await stored(source, id);
    assert.deepEqual([row.rating, row.text], [3, 'Parcel never came\n\nThree weeks. They called today, it comes tomorrow.']);
    assert.deepEqual((await theCase(review.case_id)).replies.map((one) => one.text), ['We are sorry, Tomas. It is on the van.']);

    taken(await deliver(source, await fixture(source, 'service_review_deleted')));
    [row] = await stored(source, id);
    assert.deepEqual([row.state, row.text], ['deleted', '']);
    taken(await deliver(source, await fixture(source, 'service_review_created')), { accepted: 0, duplicates: 1 });
  });

  test('Google: a review without access to the API is shown without words; they may come as the API gives them', async () => {
    const source = 'google-reviews';
    const [waiting] = taken(await deliver(source, await fixture(source, 'new_review')));
    assert.equal((await stored(source, waiting.native_id))[0].state, 'pending');
    assert.equal((await theCase(waiting.case_id)).posts[0].text, '');
    taken(await deliver(source, await fixture(source, 'updated_review')), { accepted: 0, duplicates: 1 });

    const [review] = taken(await deliver(source, await fixture(source, 'review_fetched')));
    assert.equal(review.id, waiting.id);
    const opened = await theCase(review.case_id);
    assert.deepEqual([opened.platform, opened.posts[0].author.name], ['google', 'Ines Duarte']);
    assert.deepEqual((await stored(source, review.native_id)).map((row) => [row.state, row.rating]), [['judged', 2]]);

    taken(await deliver(source, await fixture(source, 'reviews_listed')), { accepted: 3 });
    const changed = await theCase(review.case_id);
    assert.equal(changed.posts[0].text, 'Nobody at the counter for half an hour. Now somebody came.');
    assert.deepEqual(changed.replies.map((one) => one.text), ['Thank you Ines, we were too few today.']);
    taken(await deliver(source, await fixture(source, 'reviews_of_locations')), { accepted: 0, duplicates: 1 });
  });

  test('YouTube: a video is a post; its title changes, it is deleted; our own is our own', async () => {
    const source = 'youtube';
    const [video] = taken(await deliver(source, await fixture(source, 'new_video.xml')));
    assert.equal(video.native_id, 'yt:video:aBcDeFgHiJk');
    let [row] = await stored(source, video.native_id);
    assert.deepEqual([row.platform, row.kind, row.text, row.url], ['youtube', 'post', 'Acme Ridge 3 after 100 km: what broke & what did not', 'https://www.youtube.com/watch?v=aBcDeFgHiJk']);
    taken(await deliver(source, await fixture(source, 'title_changed.xml')));
    [row] = await stored(source, video.native_id);
    assert.equal(row.text, 'Acme Ridge 3: do NOT buy <yet>');
    taken(await deliver(source, await fixture(source, 'deleted_video.xml')));
    assert.equal((await stored(source, video.native_id))[0].state, 'deleted');
    const [ours] = taken(await deliver(source, await fixture(source, 'own_video.xml')));
    assert.equal((await stored(source, ours.native_id))[0].state, 'own');
  });

  test('email: a mail, our answer to it and what they write back are one case', async () => {
    const source = 'email';
    const [first] = taken(await deliver(source, await fixture(source, 'first_mail')));
    assert.equal(first.native_id, '<CAF1.first@mail.example>');
    const [ours] = taken(await deliver(source, await fixture(source, 'own_copy')));
    assert.equal(ours.case_id, first.case_id);
    const [second] = taken(await deliver(source, await fixture(source, 'reply')));
    assert.equal(second.case_id, first.case_id);
    const found = await theCase(first.case_id);
    assert.deepEqual([found.platform, found.customer.name], ['email', 'Jonas Meer']);
    assert.deepEqual(found.posts.map((one) => one.text), ['Heating\n\nThe heating in room 12 is off and it is 9 degrees.\n\nJonas', 'Still off.']);
    assert.match(found.replies[0].text, /We send somebody\.$/);
    taken(await deliver(source, await fixture(source, 'out_of_office')), { accepted: 0, ignored: 1 });
    taken(await deliver(source, await fixture(source, 'not_mail')), { accepted: 0, ignored: 1 });
    const [html] = taken(await deliver(source, await fixture(source, 'html_only')));
    const [row] = await stored(source, html.native_id);
    assert.match(row.text, /^Reklamation\n\nGuten Tag,\nder Koffer ist kaputt & niemand hilft\.\n+Grüße\s*$/);
  });

  test('web chat: what they write and what an agent answers are one case; notes among colleagues are not taken', async () => {
    const source = 'web-chat';
    const [asked] = taken(await deliver(source, await fixture(source, 'message_created')));
    const [ours] = taken(await deliver(source, await fixture(source, 'agent_reply')));
    const [pictures] = taken(await deliver(source, await fixture(source, 'attachments')));
    assert.deepEqual([ours.case_id, pictures.case_id], [asked.case_id, asked.case_id]);
    const found = await theCase(asked.case_id);
    assert.deepEqual([found.platform, found.customer.name, found.posts.length], ['web-chat', 'Wise Water', 2]);
    assert.deepEqual(found.replies.map((one) => one.text), ['Show this screen to the conductor.']);
    for (const file of ['private_note', 'greeting', 'status_update', 'conversation_created']) {
      taken(await deliver(source, await fixture(source, file)), { accepted: 0, ignored: 1 });
    }
    const [other] = taken(await deliver(source, await fixture(source, 'other_channel')));
    assert.equal((await stored(source, other.native_id))[0].platform, 'whatsapp');
    taken(await deliver(source, await fixture(source, 'message_deleted')));
    assert.equal((await stored(source, asked.native_id))[0].state, 'deleted');
  });

  test('relays: their platform without being told, and our own replies on the case', async () => {
    for (const name of relays) {
      const at = new Date().toISOString();
      const review = { native_id: `${name}-1`, kind: 'review', text: 'Nobody came, and I still wait for my money.', rating: 1, created_at: at, author: { native_id: 'c-1', name: 'Kim' }, conversation_id: `${name}-1` };
      const [first] = taken(await deliver(name, review));
      assert.equal((await theCase(first.case_id)).platform, name.replace('-relay', ''));
      const [ours] = taken(await deliver(name, { native_id: `${name}-2`, kind: 'reply', text: 'We are on it, Kim.', created_at: at, author: { handle: '@Acme' }, in_reply_to: `${name}-1`, conversation_id: `${name}-1` }));
      assert.equal(ours.case_id, first.case_id);
      const [edited] = taken(await deliver(name, { ...review, text: 'They came. Thank you.', rating: 5, revision: 1 }));
      assert.equal(edited.id, first.id);
      taken(await deliver(name, review), { accepted: 0, duplicates: 1 });
      refused(await deliver(name, { posts: [{ text: 'no id' }] }), 422);
    }
  });
});

describe('credentials', () => {
  for (const name of platforms) {
    test(`${name}: those of today and those before are taken; without, with wrong ones, with a stranger's: 401`, async () => {
      const file = (await payloads(name))[0];
      const body = await fixture(name, file);
      const before = await count();
      const good = await credentials[name](body);
      refused(await knock(`${name}-door`, body), 401);
      refused(await knock(`${name}-door`, body, await credentials[name](body, strangers(name))), 401);
      for (const [header, value] of Object.entries(good.headers ?? {})) {
        const { [header]: _, ...rest } = good.headers;
        refused(await knock(`${name}-door`, body, { headers: rest }), 401);
        for (const wrong of ['', ' ', 'x', value.slice(0, -3), `${value}0`, value.slice(1), 'A'.repeat(5000)]) {
          refused(await knock(`${name}-door`, body, { headers: { ...good.headers, [header]: wrong } }), 401);
        }
      }
      for (const query of good.query ? ['?token=', '?token', `?token=${pushToken}x`, `?token=${pushToken.slice(1)}`, `?Token=${pushToken}`, `?other=${pushToken}`, `?token=x&token=${pushToken}`] : []) {
        refused(await knock(`${name}-door`, body, { query }), 401);
      }
      assert.equal(await count(), before);

      assert.equal((await knock(`${name}-door`, body, good)).status, 200);
      assert.equal((await knock(`${name}-door`, body, await credentials[name](body, older[name]))).status, 200);
    });
  }

  test('Basic: another user, no user, another scheme, and what is no base64: 401', async () => {
    const body = await fixture('trustpilot', 'not_reviews');
    for (const header of [
      basicHeader('somebody', password), basicHeader('', password), basicHeader(user, ''), basicHeader(user.toUpperCase(), password),
      { authorization: `Bearer ${Buffer.from(`${user}:${password}`).toString('base64')}` },
      { authorization: `Basic ${user}:${password.replace('ö', 'o')}` },
      { authorization: `Basic ${Buffer.from(`${user}${password}`).toString('base64')}` },
      { authorization: 'Basic' }, { authorization: 'Basic ' }, { authorization: `Basic ${'='.repeat(8)}` },
    ]) {
      refused(await knock('trustpilot-door', body, { headers: header }), 401);
    }
    const written = basicHeader(user, password).authorization;
    assert.equal((await knock('trustpilot-door', body, { headers: { authorization: written.replace('Basic', 'bAsIc') } })).status, 200);
  });

  test('WebSub: a signature of another body, and SHA-256 under the same name: 401', async () => {
    const body = await fixture('youtube', 'empty_feed.xml');
    const { headers } = credentials.youtube(body);
    refused(await knock('youtube-door', `${body} `, { headers }), 401);
    refused(await knock('youtube-door', body, { headers: { 'x-hub-signature': new XHubSignature('sha256', hubSecret).sign(body) } }), 401);
    refused(await knock('youtube-door', body, { headers: { 'x-hub-signature-256': new XHubSignature('sha256', hubSecret).sign(body) } }), 401);
    assert.equal((await knock('youtube-door', body, { headers })).status, 200);
  });

  test('Chatwoot: a timestamp more than five minutes away, another one than was signed, and another body: 401', async () => {
    const body = await fixture('web-chat', 'status_update');
    for (const away of [-3600, -310, 310, 86400]) refused(await knock('web-chat-door', body, await credentials['web-chat'](body, chatSecret, seconds() + away)), 401);
    for (const away of [-240, 240]) assert.equal((await knock('web-chat-door', body, await credentials['web-chat'](body, chatSecret, seconds() + away))).status, 200);
    const { headers } = await credentials['web-chat'](body);
    refused(await knock('web-chat-door', body, { headers: { ...headers, 'x-chatwoot-timestamp': String(Number(headers['x-chatwoot-timestamp']) + 1) } }), 401);
    refused(await knock('web-chat-door', `${body} `, { headers }), 401);
    refused(await knock('web-chat-door', body, { headers: { ...headers, 'x-chatwoot-signature': await octokitSign(chatSecret, body) } }), 401);
    for (const stamp of ['now', '1e9', '-1', '0', '99999999999999999999']) {
      refused(await knock('web-chat-door', body, { headers: { 'x-chatwoot-timestamp': stamp, 'x-chatwoot-signature': await octokitSign(chatSecret, `${stamp}.${body}`) } }), 401);
    }
  });

  test('a relay may also sign with a plain HMAC', async () => {
    for (const name of relays) {
      const body = '[]';
      taken(await knock(`${name}-door`, body, { headers: sign.hmac(hmacKey, body) }), { accepted: 0 });
      refused(await knock(`${name}-door`, body, { headers: sign.hmac(`${hmacKey} `, body) }), 401);
      refused(await knock(`${name}-door`, body, { headers: sign.standardWebhooks(signingKey, body, { time: new Date(Date.now() - 400_000) }) }), 401);
    }
  });

  test('no secret is in the log, the metrics or the list of sources', async () => {
    const { text: metrics } = await server.request('/metrics', { token });
    const { text: listed } = await server.request('/v1/sources', { token });
    for (const secret of [password, olderPassword, hubSecret, pushToken, chatSecret, hmacKey, signingKey.slice(6)]) {
      for (const where of [metrics, listed, server.log()]) assert.ok(!where.includes(secret) && !where.includes(encodeURIComponent(secret)));
    }
  });
});

describe('handshakes', () => {
  const good = {
    'hub.mode': 'subscribe',
    'hub.topic': 'https://www.youtube.com/feeds/videos.xml?channel_id=UCtester000000000000001',
    'hub.challenge': '13376411298764217736',
    'hub.lease_seconds': '432000',
  };
  const ask = (fields) => server.request(`/v1/hooks/youtube?${new URLSearchParams(fields)}`);

  test('the hub of YouTube gets its challenge back', async () => {
    const answer = await ask(good);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, good['hub.challenge']);
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
  });

  test('not for another mode, nor a challenge that is none', async () => {
    for (const mode of ['unsubscribe', 'denied', '', 'SUBSCRIBE']) refused(await ask({ ...good, 'hub.mode': mode }), 400);
    for (const missing of ['hub.mode', 'hub.challenge']) {
      const { [missing]: _, ...rest } = good;
      refused(await ask(rest), 400);
    }
    for (const hostile of ['<script>alert(1)</script>', '', 'a b', 'x'.repeat(129), 'a\r\nSet-Cookie: x', '\0', 'é']) {
      const answer = await ask({ ...good, 'hub.challenge': hostile });
      refused(answer, 400);
      assert.ok(hostile === '' || !answer.text.includes(hostile));
      assert.equal(answer.headers.get('set-cookie'), null);
    }
  });

  test('the others have none: 405', async () => {
    for (const name of platforms.filter((one) => one !== 'youtube')) {
      const answer = await server.request(`/v1/hooks/${name}?${new URLSearchParams({ ...good, token: pushToken })}`);
      refused(answer, 405);
      assert.match(answer.headers.get('allow'), /\bPOST\b/);
    }
  });
});

describe('every payload that the mappings are tested on', () => {
  for (const name of platforms) {
    test(`of ${name}: is taken through the door, twice, and the second time nothing is new`, async () => {
      const source = `${name}-all`;
      const files = await payloads(name);
      assert.ok(files.length >= 1);
      for (const file of files) {
        const body = await fixture(name, file);
        const expected = JSON.parse(await readFile(join(folder(name), file.replace(/\.(json|xml)$/, '.expected.json')), 'utf8'));
        const answer = await deliver(source, body);
        assert.equal(answer.status, 200, `${file}: ${answer.text}`);
        assert.equal(answer.body.accepted + answer.body.duplicates, expected.events.length, file);
        assert.equal(answer.body.ignored, expected.ignored, file);
        const rows = await server.sql(`SELECT * FROM posts WHERE source = '${source}'`);
        const again = await deliver(source, body);
        assert.equal(again.status, 200, `${file}: ${again.text}`);
        assert.equal(again.body.accepted, 0, `${file}: ${again.text}`);
        assert.deepEqual(await server.sql(`SELECT * FROM posts WHERE source = '${source}'`), rows, file);
      }
    });
  }
});

describe('what no rule knows', () => {
  test('is ignored with 200, and counted', async () => {
    const unknown = {
      trustpilot: { events: [{ eventName: 'service-review-liked', version: '9', eventData: { id: '1' } }] },
      'google-reviews': { message: { data: Buffer.from('{"type":"SOMETHING_NEW"}').toString('base64'), messageId: '1' }, subscription: 'projects/a/subscriptions/b' },
      email: { RecordType: 'SpamComplaint', ID: 5 },
      'web-chat': { event: 'inbox_updated', id: 5, account: { id: 3 } },
    };
    for (const [source, body] of Object.entries(unknown)) taken(await deliver(source, body), { accepted: 0, ignored: 1 });
    for (const source of mapped.filter((name) => name !== 'youtube')) {
      for (const body of ['{}', '[]', '7', 'null', '"x"', '[[]]']) {
        const answer = await deliver(source, body);
        assert.equal(answer.status, 200, `${source} ${body}: ${answer.text}`);
        assert.equal(answer.body.accepted, 0);
      }
    }
    for (const body of ['<feed/>', '<other xmlns="x"><entry/></other>', '<?xml version="1.0"?><!-- x --><html><body>hi</body></html>']) {
      taken(await deliver('youtube', body), { accepted: 0, ignored: 1 });
    }
  });
});

describe('what is hostile', () => {
  const instead = [null, 7, -1.5e300, true, '', '\u202e\u{1F6EB}<script>', [], {}, JSON.parse('['.repeat(60) + ']'.repeat(60))];

  // Every value of the document in turn, by another one.
  function* changed(document, node = document, set = undefined) {
    if (set) {
      for (const value of instead) {
        set(value);
        yield document;
      }
      set(node);
    }
    if (node === null || typeof node !== 'object') return;
    for (const key of Object.keys(node)) {
      yield* changed(document, node[key], (value) => {
        node[key] = value;
      });
    }
  }

  for (const name of platforms.filter((one) => one !== 'youtube')) {
    test(`${name}: no value of another type, or none, is a fault of ours`, async () => {
      let asked = 0;
      for (const file of (await payloads(name)).slice(0, 4)) {
        const bodies = [...changed(JSON.parse(await fixture(name, file)))].length;
        // At most some hundreds of each file, spread over it.
        const every = Math.max(1, Math.floor(bodies / 300));
        let at = 0;
        let waiting = [];
        for (const document of changed(JSON.parse(await fixture(name, file)))) {
          at += 1;
          if (at % every !== 0) continue;
          const body = JSON.stringify(document);
          waiting.push(deliver(`${name}-all`, body).then((answer) => {
            const fine = mapped.includes(name) ? [200] : [200, 422];
            assert.ok(fine.includes(answer.status), `${file}: ${answer.status} ${answer.text} for ${body}`);
          }));
          asked += 1;
          if (waiting.length === 16) {
            await Promise.all(waiting);
            waiting = [];
          }
        }
        await Promise.all(waiting);
      }
      assert.ok(asked > 50, `${asked} bodies`);
    });

    test(`${name}: a body that is no JSON is 400`, async () => {
      for (const body of ['', '{', '{"a":', '\ufeff', '<xml/>', 'a=1&b=2', '[1,]', '{"a":1}}', '\0', '['.repeat(100_000)]) {
        refused(await deliver(name, body), 400);
      }
      const bytes = Buffer.from('{"events":[{"eventName":"\xff\xfe"}]}', 'latin1');
      const answer = await knock(name, bytes, await credentials[name](bytes.toString('latin1')));
      assert.ok([400, 401].includes(answer.status), answer.text);
    });
  }

  test('youtube: XML with entities, without an end, too deep or too much is refused or empty, and never a fault of ours', async () => {
    const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`).join('')}]><feed><entry><id>yt:video:lol</id><yt:videoId>lol</yt:videoId><title>&lol9;</title></entry></feed>`;
    const outside = '<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY f SYSTEM "file:///etc/passwd">]><feed><entry><id>yt:video:xxe</id><yt:videoId>xxe</yt:videoId><title>&f;</title></entry></feed>';
    for (const body of [
      laughs, outside, '', ' ', '{}', '<', '<feed>', '<feed><entry></feed>', '</feed>', '<feed a=1/>', '<feed>&nope;</feed>', '\0', 'words',
      '<feed/><feed/>', `${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}`, `<feed>${'<entry/>'.repeat(20_000)}</feed>`,
      `<feed ${Array.from({ length: 5000 }, (_, i) => `a${i}="1"`).join(' ')}/>`, '<feed><![CDATA[', '<?xml version="1.0" encoding="utf-16"?><feed/>',
    ]) {
      const answer = await deliver('youtube', body);
      assert.ok([200, 400, 413, 422].includes(answer.status), `${answer.status} ${answer.text} for ${body.slice(0, 100)}`);
      assert.ok(!answer.text.includes('root:'));
    }
    const rows = await server.sql("SELECT text FROM posts WHERE source = 'youtube' AND native_id IN ('yt:video:lol', 'yt:video:xxe')");
    for (const { text } of rows) assert.ok(text.length < 100 && !text.includes('root:') && !text.includes('lollol'), text);
  });

  test('every mapped platform still takes what is right', async () => {
    assert.equal((await server.request('/readyz')).status, 200);
    for (const name of mapped) assert.equal((await deliver(name, await fixture(name, (await payloads(name))[0]))).status, 200);
  });
});
