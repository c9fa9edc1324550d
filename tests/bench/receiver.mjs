// Takes callbacks and counts them. node receiver.mjs PORT
import http from 'node:http';

let count = 0;
const server = http.createServer((request, response) => {
  if (request.url === '/count') return response.end(String(count));
  request.resume();
  request.on('end', () => {
    count += 1;
    response.end();
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
