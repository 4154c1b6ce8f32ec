#!/usr/bin/env python3
"""browser.py BROWSER FOLDER - opens pages of ours in headless Chromium and uses them as people do; the standard library alone.

FOLDER has what the unit test pages_of_reports_and_quizzes... writes. For every page, 400 and 1400 pixels wide, light and dark: nothing
wider than the window, no error in the console, no request for anything outside. Then two people answer the text quiz, one by mouse, one by
keyboard, with a reload in between; their files go to FOLDER/answers. Prints "ok NAME" or "not ok NAME: why" a line. With
TG_TEST_SHOTS=DIR screenshots go there.

Chromium is spoken to through a pipe (--remote-debugging-pipe): JSON messages that end with a NUL, as its protocol's pages have them.
"""
import base64
import fcntl
import glob
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time

WAIT = 120  # seconds for an answer: as many as a machine may need that does other things, too


class Browser:
    def __init__(self, program):
        self.home = tempfile.mkdtemp(prefix='browser-', dir=os.environ.get('TG_TEST_TMP'))
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs_in, theirs_out)]

        def arrange():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.process = subprocess.Popen(
            [program, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
             '--disable-background-networking', '--disable-component-update', '--remote-debugging-pipe', f'--user-data-dir={self.home}'],
            preexec_fn=arrange, pass_fds=[3, 4], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in [theirs_in, theirs_out] + high:
            os.close(fd)
        self.input, self.output, self.rest, self.number, self.events = ours_in, ours_out, b'', 0, []

    def close(self):
        try:
            self.call('Browser.close')
            self.process.wait(WAIT)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def read(self, until):
        """The next message; events are kept."""
        while b'\0' not in self.rest:
            if not select.select([self.input], [], [], max(0, until - time.monotonic()))[0]:
                raise RuntimeError('the browser does not answer')
            more = os.read(self.input, 1 << 20)
            if not more:
                raise RuntimeError('the browser ended')
            self.rest += more
        text, self.rest = self.rest.split(b'\0', 1)
        message = json.loads(text)
        if 'method' in message:
            self.events.append(message)
        return message

    def call(self, method, session=None, **params):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if session:
            message['sessionId'] = session
        data = json.dumps(message).encode() + b'\0'
        while data:
            data = data[os.write(self.output, data):]
        until = time.monotonic() + WAIT
        while True:
            answer = self.read(until)
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer['result']

    def wait(self, method, test=lambda params: True):
        """Params of the first such event from now on or kept."""
        until, at = time.monotonic() + WAIT, 0
        while True:
            for event in self.events[at:]:
                if event['method'] == method and test(event['params']):
                    return event['params']
            at = len(self.events)
            self.read(until)


class Tab:
    """A page in a profile of its own."""

    def __init__(self, browser, path, width=1000, dark=False):
        self.browser, self.url = browser, 'file://' + os.path.abspath(path)
        self.profile = browser.call('Target.createBrowserContext')['browserContextId']
        self.target = browser.call('Target.createTarget', url='about:blank', browserContextId=self.profile)['targetId']
        self.session = browser.call('Target.attachToTarget', targetId=self.target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(domain + '.enable')
        self.look(width, dark)
        browser.events.clear()
        self.call('Page.navigate', url=self.url)
        self.arrive('location.href !== "about:blank"')

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def look(self, width, dark):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def run(self, script):
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(script + ': ' + json.dumps(result['exceptionDetails'])[:300])
        return result['result'].get('value')

    def arrive(self, test):
        """Waits until a document for which this holds is loaded: the event may be of the one before."""
        while True:
            event = self.browser.wait('Page.loadEventFired')
            if self.run(test):
                return
            self.browser.events = [e for e in self.browser.events if e['params'] is not event]

    def reload(self):
        self.run('window.before = true')
        self.browser.events.clear()
        self.call('Page.reload')
        self.arrive('!window.before')

    def key(self, name):
        text = '\r' if name == 'Enter' else name if len(name) == 1 else ''
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=name, text=text if kind == 'keyDown' else '',
                      windowsVirtualKeyCode=13 if name == 'Enter' else 9 if name == 'Tab' else ord(name[0].upper()))

    def click(self, selector):
        """Where it is, with the mouse."""
        x, y = self.run(f'''(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});
            const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()''')
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def complaints(self):
        """What the console says that is no mere talk, and requests that leave the page."""
        out = []
        for event in self.browser.events:
            p = event['params']
            if event['method'] == 'Runtime.exceptionThrown':
                out.append('exception ' + p['exceptionDetails']['text'])
            elif event['method'] == 'Runtime.consoleAPICalled' and p['type'] in ('error', 'warning', 'assert'):
                out.append('console ' + p['type'])
            elif event['method'] == 'Log.entryAdded' and p['entry']['level'] in ('error', 'warning'):
                out.append('log ' + p['entry']['text'])
            elif event['method'] == 'Network.requestWillBeSent':
                url = p['request']['url']
                if url != self.url and not url.startswith(('data:', 'blob:')):
                    out.append('request ' + url)
        return out

    def shot(self, name):
        if os.environ.get('TG_TEST_SHOTS'):
            os.makedirs(os.environ['TG_TEST_SHOTS'], exist_ok=True)
            image = self.call('Page.captureScreenshot', captureBeyondViewport=True)['data']
            with open(os.path.join(os.environ['TG_TEST_SHOTS'], name + '.png'), 'wb') as f:
                f.write(base64.b64decode(image))

    def close(self):
        self.browser.call('Target.disposeBrowserContext', browserContextId=self.profile)


# Elements that stick out of the window, but for what lies in a box with scroll bars of its own.
WIDE = '''(() => { const width = document.documentElement.clientWidth, out = [];
  if (document.documentElement.scrollWidth > width) out.push('page ' + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll('body *')) {
    const b = e.getBoundingClientRect();
    if (b.right > width + 1 && b.width > 0 && !e.closest('.wide')) out.push(e.tagName + '.' + (e.className.baseVal ?? e.className) + ' ' + b.right);
  }
  return out.slice(0, 5); })()'''


def check_looks(browser, path):
    """A page at both widths, light and dark; nothing folded away; of a quiz an item with answers and its end."""
    name, quiz = os.path.basename(path)[:-5], os.path.basename(path).startswith('quiz')
    tab = Tab(browser, path)
    tab.run('for (const d of document.querySelectorAll("details")) d.open = true')
    assert tab.run('[...document.images].every(i => i.complete && i.naturalWidth > 0)'), 'an image that is none'
    for view in ['', '-end'] if quiz else ['']:
        if quiz:
            tab.run('document.getElementById("end").click()' if view else 'press("verdict", "generated"), mark(4)')
        for width in (400, 1400):
            for dark in (False, True):
                tab.look(width, dark)
                wide = tab.run(WIDE)
                assert not wide, f'{width}{view}: {wide}'
                tab.shot(f'{name}{view}-{width}-{"dark" if dark else "light"}')
    if not quiz:
        tab.look(794, False)  # A4 without margins: paper cannot be moved aside
        tab.call('Emulation.setEmulatedMedia', media='print')
        wide = tab.run(WIDE.replace(" && !e.closest('.wide')", ''))
        assert not wide, f'on paper: {wide}'
        tab.shot(f'{name}-paper')
    said = tab.complaints()
    assert not said, said
    tab.close()


# ---- people who answer ---------------------------------------------------------------------------------------------------

def plan(quiz, seed):
    """What somebody is going to say of each item, by its name; some of it is left out."""
    rng = random.Random(seed)
    return {item['id']: {'verdict': rng.choice(['real', 'generated', None]),
                         **{q: rng.choice([1, 2, 3, 4, 5, None]) for q in quiz['questions']}} for item in quiz['items']}


def answer_by_mouse(tab, quiz, said):
    for name, value in said.items():
        if value is not None:
            tab.click(f'input[name="{name}"][value="{value}"]')
    tab.click('button[type="submit"]')


def answer_by_keys(tab, quiz, said):
    """Letters and digits only; marks go to the questions in order, so a question that is left out ends the row."""
    if said['verdict']:
        tab.key(said['verdict'][0])
    for q in quiz['questions']:
        if said[q] is None:
            break
        tab.key(str(said[q]))
    tab.key('Enter')


def only_first(quiz, said):
    """The same with nothing behind a question that is left out."""
    out, on = dict(said), True
    for q in quiz['questions']:
        on = on and said[q] is not None
        out[q] = said[q] if on else None
    return out


def check_answers(browser, path, rater, by_keys, folder):
    tab = Tab(browser, path)
    quiz = json.loads(tab.run('document.getElementById("data").textContent'))
    wanted = plan(quiz, rater)
    if by_keys:
        wanted = {name: only_first(quiz, said) for name, said in wanted.items()}
    for i, item in enumerate(quiz['items']):
        (answer_by_keys if by_keys else answer_by_mouse)(tab, quiz, wanted[item['id']])
        if i == len(quiz['items']) // 2:  # in the middle: all is lost but what the page has kept
            place = tab.run('document.getElementById("where").textContent')
            tab.reload()
            again = tab.run('document.getElementById("where").textContent')
            assert again == place, f'after a reload: {again} and not {place}'
    assert tab.run('!document.getElementById("finish").hidden'), 'the end is not shown'
    name = f'Zoë 王{rater}'
    tab.run(f'document.getElementById("name").value = {json.dumps(name)}; document.getElementById("name").dispatchEvent(new Event("input"))')
    said = tab.complaints()
    assert not said, said
    downloads = os.path.join(folder, f'from-{rater}')
    os.makedirs(downloads)
    browser.call('Browser.setDownloadBehavior', behavior='allow', downloadPath=downloads, browserContextId=tab.profile, eventsEnabled=True)
    tab.click('#save')
    browser.wait('Browser.downloadProgress', lambda p: p['state'] == 'completed')
    saved, = glob.glob(os.path.join(downloads, '*.json'))
    assert os.path.basename(saved) == f'answers-{quiz["id"]}-Zoë-王{rater}.json', saved
    with open(saved, encoding='utf-8') as f:
        text = f.read()
    assert text == tab.run('document.getElementById("text").value'), 'the text to copy is another one'
    got = json.loads(text)
    assert (got['quiz'], got['rater'], got['saves']) == (quiz['id'], name, 1), got
    assert {a.pop('item'): a for a in got['answers']} == wanted, 'not what was answered'
    os.rename(saved, os.path.join(folder, f'{rater}.json'))
    tab.close()


def check_small_things(browser, path):
    """Clear, back, an old store of nonsense, and letters typed into the name are no answers."""
    tab = Tab(browser, path)
    ids = json.loads(tab.run('document.getElementById("data").textContent'))
    for key in ('r', '5', 'n', 'p'):
        tab.key(key)
    assert tab.run('document.querySelector("input[name=verdict]:checked").value') == 'real'
    tab.click('#clear')
    assert tab.run('document.querySelectorAll("input:checked").length') == 0
    tab.click('#end')
    tab.run('document.getElementById("name").focus()')
    for key in ('r', '4', 'g', 'p'):
        tab.key(key)
    assert tab.run('document.getElementById("name").value') == 'r4gp'
    got = json.loads(tab.run('document.getElementById("text").value'))
    assert got['rater'] == 'r4gp' and all(v is None for a in got['answers'] for k, v in a.items() if k != 'item'), got
    name, item = 'tinygen-quiz-' + ids['id'], ids['items'][0]['id']
    for old in ('}', '5', '"x"', json.dumps({'session': '0123456789abcdef', 'saves': -7, 'at': 1e9, 'rater': '<b>', 'answers': {
            item: {'verdict': '<img src=x>', 'grammar': 77}, '__proto__': {'verdict': 'real'}}})):
        tab.run(f'localStorage.setItem({json.dumps(name)}, {json.dumps(old)})')
        tab.reload()
        got = json.loads(tab.run('(document.getElementById("end").click(), document.getElementById("text").value)'))
        assert all(v is None for a in got['answers'] for k, v in a.items() if k != 'item'), got
        said = tab.complaints()
        assert not said, said
    tab.close()


def report(name, work, *args):
    try:
        work(*args)
        print('ok', name, flush=True)
    except (AssertionError, RuntimeError, ValueError) as error:
        print(f'not ok {name}: {error}', flush=True)


def main(program, folder):
    browser = Browser(program)
    try:
        answers = os.path.join(folder, 'answers')
        os.makedirs(answers)
        for path in sorted(glob.glob(os.path.join(folder, '*.html'))):
            report('browser_shows_' + os.path.basename(path)[:-5].replace('-', '_'), check_looks, browser, path)
        report('browser_answers_by_mouse', check_answers, browser, os.path.join(folder, 'quiz-text-en.html'), 0, False, answers)
        report('browser_answers_by_keys', check_answers, browser, os.path.join(folder, 'quiz-text-zh.html'), 1, True, answers)
        report('browser_quiz_takes_no_nonsense', check_small_things, browser, os.path.join(folder, 'quiz-text-en.html'))
    finally:
        browser.close()


main(*sys.argv[1:])
