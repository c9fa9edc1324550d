// What a hook's answer must be, whichever source it was.
import assert from 'node:assert/strict';

// It was taken, with these counts: its posts.
export function taken(answer, { accepted = 1, duplicates = 0, ignored = 0 } = {}) {
  assert.equal(answer.status, 200, answer.text);
  const { posts, ...counts } = answer.body;
  assert.deepEqual(counts, { accepted, duplicates, ignored });
  assert.equal(posts.length, accepted + duplicates);
  return posts;
}

// It was refused, as an RFC 9457 problem: its body.
export function refused(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.status, status);
  return answer.body;
}

// A case as the API shows it.
export async function caseOf(server, token, id) {
  const answer = await server.request(`/v1/cases/${id}`, { token });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
