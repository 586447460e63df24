<?php
// An order desk on PHP's own SoapServer. Run: DESK_DB=FILE php -S 127.0.0.1:18096 desk.php
// Logins: basic, or a UsernameToken (text or digest), agent / Soap-pw-2026. What PHP does not do is left undone: it checks no mandatory element.
ini_set('soap.wsdl_cache_enabled', '0');
ini_set('default_socket_timeout', '5');
const USER = 'agent', WORD = 'Soap-pw-2026';

function database(): PDO {
    $db = new PDO('sqlite:' . getenv('DESK_DB'), null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC]);
    $db->exec('PRAGMA busy_timeout = 10000');
    $db->exec('CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, vendor TEXT, status TEXT DEFAULT "DRAFT", reference TEXT, day TEXT, items TEXT)');
    $db->exec('CREATE TABLE IF NOT EXISTS parts (id INTEGER PRIMARY KEY, name TEXT, price TEXT, category TEXT, modified TEXT)');
    $db->exec('CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY)');
    return $db;
}

class Desk {
    private bool $known;
    function __construct(private PDO $db) {
        $this->known = ($_SERVER['PHP_AUTH_USER'] ?? '') === USER && ($_SERVER['PHP_AUTH_PW'] ?? '') === WORD;
    }
    private function fail(string $code, string $text): never {
        throw new SoapFault('Server', $text, null, (object)['Code' => $code, 'Text' => $text], 'DeskFault');
    }
    // Security is the header of WS-Security; PHP calls it before the operation.
    function Security($header): void {
        $token = $header->UsernameToken ?? null;
        $word = $token->Password ?? '';
        $word = is_object($word) ? $word->_ : $word;
        $nonce = $token->Nonce ?? '';
        $nonce = is_object($nonce) ? $nonce->_ : $nonce;
        $digest = base64_encode(sha1(base64_decode($nonce) . ($token->Created ?? '') . WORD, true));
        if (($token->Username ?? '') !== USER || $word !== WORD && $word !== $digest) throw new SoapFault('FailedAuthentication', 'The security token could not be authenticated');
        try { $this->db->prepare('INSERT INTO nonces VALUES (?)')->execute([$nonce]); }
        catch (PDOException) { throw new SoapFault('FailedAuthentication', 'The nonce was used before'); }
        $this->known = true;
    }
    function __call(string $name, array $args) {
        if (!$this->known || !method_exists($this, "do$name")) throw new SoapFault('Client', "No $name");
        return $this->{"do$name"}($args[0] ?? new stdClass);
    }
    private function order(array $r): array {
        $o = ['Number' => $r['number'], 'Vendor' => $r['vendor'], 'Status' => $r['status'], 'Item' => json_decode($r['items'], true)];
        if ($r['reference'] !== null) $o['Reference'] = $r['reference'];
        if ($r['day'] !== null) $o['OrderDate'] = $r['day'];
        return $o;
    }
    private function rows(string $sql, array $args = []): array { $s = $this->db->prepare($sql); $s->execute($args); return $s->fetchAll(); }
    private function doListOrders($p) {
        [$w, $a] = ['WHERE true', []];
        if (isset($p->Status)) [$w, $a] = ["$w AND status = ?", [...$a, $p->Status]];
        if (isset($p->Reference)) [$w, $a] = ["$w AND reference = ?", [...$a, $p->Reference]];
        $max = min((int)($p->Max ?? 20), 50); // whatever is asked for
        return ['Total' => $this->rows("SELECT count(*) n FROM orders $w", $a)[0]['n'],
            'Order' => array_map($this->order(...), $this->rows("SELECT * FROM orders $w ORDER BY number LIMIT $max OFFSET " . (int)($p->Offset ?? 0), $a))];
    }
    private function doGetOrder($p) {
        $r = $this->rows('SELECT * FROM orders WHERE number = ?', [$p->Number]) or $this->fail('NOT_FOUND', "No order $p->Number");
        return ['Order' => $this->order($r[0])];
    }
    private function doCreateOrder($p) {
        $o = $p->Order;
        if (str_starts_with($o->Vendor ?? '', 'X')) $this->fail('VENDOR_BLOCKED', "Vendor $o->Vendor is blocked & may not be used");
        $this->db->prepare('INSERT INTO orders (vendor, reference, day, items) VALUES (?, ?, ?, ?)')
            ->execute([$o->Vendor ?? null, $o->Reference ?? null, $o->OrderDate ?? null, json_encode($o->Item ?? [])]);
        return ['Number' => $this->db->lastInsertId()];
    }
    private function doReleaseOrder($p) {
        $r = $this->rows('SELECT status FROM orders WHERE number = ?', [$p->Number]) or $this->fail('NOT_FOUND', "No order $p->Number");
        if ($r[0]['status'] !== 'DRAFT') $this->fail('BAD_STATE', "Order $p->Number is " . $r[0]['status']);
        $this->db->prepare('UPDATE orders SET status = "RELEASED" WHERE number = ?')->execute([$p->Number]);
        return ['Status' => 'RELEASED'];
    }
    private function doListParts($p) {
        [$w, $a] = isset($p->Id) ? ['WHERE id = ?', [(int)$p->Id]] : ['', []];
        $max = (int)($p->Max ?? 5000);
        $part = fn($r) => array_filter(['Id' => $r['id'], 'Name' => $r['name'], 'Price' => $r['price'], 'Category' => $r['category'], 'Modified' => $r['modified']], fn($v) => $v !== null);
        return ['Total' => $this->rows("SELECT count(*) n FROM parts $w", $a)[0]['n'],
            'Part' => array_map($part, $this->rows("SELECT * FROM parts $w ORDER BY id LIMIT $max OFFSET " . (int)($p->Offset ?? 0), $a))];
    }
    private function doAddPart($p) {
        $q = $p->Part;
        try { $this->db->prepare('INSERT INTO parts VALUES (?, ?, ?, ?, ?)')->execute([$q->Id, $q->Name, $q->Price, $q->Category ?? null, $q->Modified]); }
        catch (PDOException) { $this->fail('DUPLICATE', "There is a part $q->Id"); }
        return ['Id' => $q->Id, 'Count' => 1];
    }
    private function doRenamePart($p) {
        $s = $this->db->prepare('UPDATE parts SET name = ? WHERE id = ?');
        $s->execute([$p->Name, (int)$p->Id]);
        return ['Count' => $s->rowCount()];
    }
    private function doSlow($p) { sleep(22); return ['Part' => []]; }
    private function doMany($p) {
        $from = (int)$p->Offset;
        return ['Total' => 1000000, 'I' => $from < 1000000 ? range($from, min($from + (int)$p->Max, 1000000) - 1) : []];
    }
}

if (PHP_SAPI === 'cli') { database(); exit; } // called by itself it makes the database

$raw = file_get_contents('php://input');
if (($_SERVER['PHP_AUTH_USER'] ?? '') !== USER || ($_SERVER['PHP_AUTH_PW'] ?? '') !== WORD) {
    if (!str_contains($raw, 'UsernameToken')) { header('WWW-Authenticate: Basic realm="Desk"'); http_response_code(401); exit; }
}
$server = new SoapServer(__DIR__ . '/desk.wsdl', ['soap_version' => str_contains($_SERVER['CONTENT_TYPE'] ?? '', 'soap+xml') ? SOAP_1_2 : SOAP_1_1, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setObject(new Desk(database()));
$server->handle($raw);
