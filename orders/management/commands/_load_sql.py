"""The statements of `load_orders`: one batch is computed once, then spread over the tables."""

# What differs from order to order comes from hashes of its number, so that a load can be repeated.
# The lists as small tables: an element of a long array of texts is found only by walking the array.
LISTS = """
CREATE TEMP TABLE load_family AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(families)s::text[],
       %(family_kana)s::text[],
       %(family_keys)s::text[])
       AS u(name, kana, key);
CREATE TEMP TABLE load_given AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(given)s::text[],
       %(given_kana)s::text[],
       %(given_keys)s::text[])
       AS u(name, kana, key);
CREATE TEMP TABLE load_place AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(prefectures)s::text[],
       %(cities)s::text[],
       %(postal)s::text[])
       AS u(prefecture, city, postal);
CREATE TEMP TABLE load_good AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(skus)s::bigint[],
       %(codes)s::text[],
       %(good_keys)s::text[],
       %(goods)s::text[],
       %(prices)s::int[],
       %(rates)s::int[])
       AS u(sku, code, keys, name, price, rate);
CREATE TEMP TABLE load_shop AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(shops)s::bigint[],
       %(heads)s::text[],
       %(head_keys)s::text[])
       AS u(id, head, key);
CREATE TEMP TABLE load_remark AS SELECT row_number() OVER () - 1 AS i, *
  FROM unnest(%(remarks)s::text[])
       AS u(text);
ANALYZE load_family, load_given, load_place, load_good, load_shop, load_remark
"""
FORGET = "DROP TABLE IF EXISTS load_family, load_given, load_place, load_good, load_shop, load_remark"

# What differs from order to order comes from hashes of its number, so that a load can be repeated.
BATCH = """
CREATE TEMP TABLE load_batch ON COMMIT DROP AS
WITH base AS MATERIALIZED (
    SELECT n,
           (hashint8(n * 8 + 1) & 2147483647) AS r1, (hashint8(n * 8 + 2) & 2147483647) AS r2,
           (hashint8(n * 8 + 3) & 2147483647) AS r3, (hashint8(n * 8 + 4) & 2147483647) AS r4,
           (hashint8(n * 8 + 5) & 2147483647) AS r5
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
),
chosen AS MATERIALIZED (
    SELECT n, r1, r2, r3, r4, r5,
           CASE WHEN r5 %% 10 < 7 THEN 1 ELSE 2 END AS lines, CASE WHEN r4 %% 100 < 80 THEN 1 ELSE 2 END AS pieces,
           %(now)s::timestamptz - ((%(total)s - n)::float8 / %(total)s * 365) * interval '1 day' AS ordered_at,
           (r1 / 128) %% 1000 AS d1, (r2 / 64) %% 1000 AS d2, (r3 / 64) %% 1000 AS d3,
           CASE WHEN r2 %% 1000 < 30 THEN 'cod' WHEN r2 %% 1000 < 100 THEN 'convenience'
                WHEN r2 %% 1000 < 130 THEN 'bank_transfer' WHEN r2 %% 1000 < 170 THEN 'deferred'
                WHEN r2 %% 1000 < 600 THEN 'card' ELSE 'mall' END AS method
      FROM base
),
staged AS MATERIALIZED (
    SELECT *,
           CASE WHEN d1 < 30 THEN 'cancelled'
                WHEN ordered_at < %(now)s::timestamptz - interval '17 days' THEN
                     CASE WHEN d2 < 3 AND ordered_at > %(now)s::timestamptz - interval '90 days'
                          THEN 'awaiting_release' ELSE 'completed' END
                WHEN ordered_at < %(now)s::timestamptz - interval '3 days' THEN
                     CASE WHEN d2 < 8 THEN 'on_hold' WHEN d2 < 20 THEN 'scheduled' ELSE 'shipped' END
                WHEN method IN ('convenience', 'bank_transfer') AND d3 < 600 THEN 'awaiting_payment'
                WHEN d2 < 15 THEN 'new' WHEN d2 < 90 THEN 'review' WHEN d2 < 130 THEN 'awaiting_stock'
                WHEN d2 < 140 THEN 'awaiting_release' WHEN d2 < 200 THEN 'scheduled' WHEN d2 < 420 THEN 'ready'
                WHEN d2 < 430 THEN 'on_hold' WHEN d2 < 440 THEN 'partially_shipped'
                WHEN d2 < 750 THEN 'in_fulfillment' ELSE 'shipped' END AS stage
      FROM chosen
)
SELECT nextval('orders_order_id_seq') AS id, n, lines, pieces, d3, method, stage, ordered_at,
       stage IN ('shipped', 'completed') AS left_us,
       stage IN ('in_fulfillment', 'partially_shipped', 'shipped', 'completed') AS instructed,
       stage IN ('scheduled', 'ready', 'in_fulfillment', 'partially_shipped', 'shipped', 'completed') AS placed,
       s.id AS shop_id, s.head || to_char(ordered_at, 'YYYYMMDD') || '-' || lpad(n::text, 9, '0') AS number,
       f.name || ' ' || g.name AS name, f.kana || ' ' || g.kana AS kana,
       '090-' || lpad((r3 %% 10000)::text, 4, '0') || '-' || lpad((r4 %% 10000)::text, 4, '0') AS phone,
       'b' || n || '@mail' || (r4 %% 7) || '.example.jp' AS email,
       p.postal || '-' || lpad((r2 %% 10000)::text, 4, '0') AS postal_code, p.prefecture, p.city,
       '中央' || (1 + r1 %% 9) || '-' || (1 + r2 %% 30) || '-' || (1 + r3 %% 20) AS address,
       CASE WHEN d3 < 80 THEN f.name || ' ' || o.name END AS other,
       a.sku AS sku1, b.sku AS sku2, a.code AS code1, b.code AS code2, a.name AS good1, b.name AS good2,
       a.price AS price1, b.price AS price2, a.rate AS rate1, b.rate AS rate2,
       a.price * pieces + CASE WHEN lines = 2 THEN b.price ELSE 0 END AS goods,
       CASE WHEN d3 BETWEEN 100 AND 159 THEN 'ラッピング（リボン）' ELSE '' END AS gift,
       CASE WHEN stage = 'review' OR d3 BETWEEN 200 AND 279 THEN m.text ELSE '' END AS remarks,
       E'\\n' || s.key || to_char(ordered_at, 'YYYYMMDD') || lpad(n::text, 9, '0') || E'\\n' || f.key || g.key
           || E'\\n' || f.kana || g.kana || E'\\n' || 'b' || n || '@mail' || (r4 %% 7) || '.example.jp'
           || E'\\n' || '090' || lpad((r3 %% 10000)::text, 4, '0') || lpad((r4 %% 10000)::text, 4, '0')
           || E'\\n' || p.postal || lpad((r2 %% 10000)::text, 4, '0')
           || a.keys || CASE WHEN lines = 2 AND a.code <> b.code THEN b.keys ELSE '' END AS search
  FROM staged
  JOIN load_family f ON f.i = r1 %% %(family_count)s
  JOIN load_given g ON g.i = r2 %% %(given_count)s
  JOIN load_given o ON o.i = r3 %% %(given_count)s
  JOIN load_place p ON p.i = r3 %% %(place_count)s
  JOIN load_shop s ON s.i = r4 %% %(shop_count)s
  JOIN load_good a ON a.i = r5 %% %(good_count)s
  JOIN load_good b ON b.i = (r5 / 97) %% %(good_count)s
  JOIN load_remark m ON m.i = r3 %% %(remark_count)s
 ORDER BY n
"""

ORDERS = """
INSERT INTO orders_order (
    id, shop_id, channel_order_no, ordered_at, imported_at, channel_parts, channel_state, phase, channel_extra, flags,
    fulfilled_by_channel, confirmed_at, cancel_requested, cancelled_at, cancel_reason,
    buyer_name, buyer_kana, buyer_phone, buyer_email, buyer_postal_code, buyer_prefecture, buyer_city, buyer_address,
    buyer_company,
    goods, shipping_fee, fees, gift_fees, discount, coupons_shop, coupons_channel, points, tax_excluded, tax, total,
    payment_method, payment_name, payment_state, paid_at,
    remarks, internal_note, packing_note, wish_slot, delivery_method, carrier, ship_by, planned_ship_date,
    gift, noshi, message_card,
    recipient_name, recipient_prefecture, item_summary, quantity, release_date, allocation_state, fulfillment_state,
    location_label, tracking_label, channel_sync, instructed_at, shipped_at, blocking_reasons, held_at, hold_reason,
    stage, stage_since, stage_due_at, version, search)
SELECT
    id, shop_id, number, ordered_at, ordered_at + interval '2 minutes', '{}', '300',
    CASE WHEN stage = 'cancelled' THEN 'cancelled' WHEN stage = 'new' THEN 'provisional' WHEN left_us THEN 'shipped'
         ELSE 'open' END, '{}', '{}',
    false, ordered_at + interval '5 minutes', false,
    CASE WHEN stage = 'cancelled' THEN ordered_at + interval '3 hours' END,
    CASE WHEN stage = 'cancelled' THEN '顧客都合' ELSE '' END,
    name, kana, phone, email, postal_code, prefecture, city, address,
    '',
    goods, 550, 0, 0, 0, 0, 0, 0, 0, 0, goods + 550,
    method, '',
    CASE WHEN method = 'cod' OR stage IN ('awaiting_payment', 'new') THEN 'unpaid'
         WHEN method IN ('card', 'deferred') AND NOT left_us THEN 'authorized' ELSE 'paid' END,
    CASE WHEN stage NOT IN ('awaiting_payment', 'new') THEN ordered_at + interval '1 hour' END,
    remarks, '', '', '',
    CASE WHEN n %% 10000 = 77 THEN '速達便' WHEN n %% 10 = 3 THEN 'ネコポス' ELSE '宅配便' END, 'yamato',
    ordered_at + interval '60 hours',
    CASE WHEN stage = 'scheduled' THEN (%(now)s::timestamptz + interval '5 days')::date END,
    gift, '', '',
    coalesce(other, name), prefecture, good1 || ' ×' || pieces || CASE WHEN lines = 2 THEN ' 他1点' ELSE '' END,
    pieces + lines - 1,
    CASE WHEN stage = 'awaiting_release' THEN (%(now)s::timestamptz + interval '30 days')::date END,
    CASE WHEN placed THEN 'full' ELSE 'none' END,
    CASE WHEN stage = 'in_fulfillment' THEN 'instructed' WHEN stage = 'partially_shipped' THEN stage
         WHEN left_us THEN 'shipped' ELSE 'none' END,
    
    CASE WHEN NOT instructed THEN '' WHEN n %% 10000 = 78 THEN '東京倉庫、札幌店' WHEN n %% 10 = 4 THEN '大阪倉庫'
         ELSE '東京倉庫' END, CASE WHEN left_us THEN '4' || lpad(n::text, 11, '0') ELSE '' END,
    CASE WHEN stage = 'shipped' AND d3 = 999 THEN 'failed' WHEN left_us THEN 'in_sync' ELSE 'none' END,
    CASE WHEN instructed THEN ordered_at + interval '20 hours' END,
    CASE WHEN left_us THEN ordered_at + interval '30 hours' END,
    CASE WHEN stage = 'review' THEN 1 ELSE 0 END,
    CASE WHEN stage = 'on_hold' THEN ordered_at + interval '4 hours' END,
    CASE WHEN stage = 'on_hold' THEN 'お客様へ確認中' ELSE '' END,
    stage, ordered_at + interval '10 hours',
    CASE WHEN stage = 'shipped' THEN ordered_at + interval '30 hours 14 days' END, 1, search
  FROM load_batch
"""

RECIPIENTS = """
INSERT INTO orders_recipient (
    order_id, position, name, kana, phone, postal_code, prefecture, city, address, company, country)
SELECT id, 0, coalesce(other, name), kana, phone, postal_code, prefecture, city, address, '', 'JP' FROM load_batch
"""

LINES = """
INSERT INTO orders_orderline (order_id, position, recipient_position, channel_line_id, channel_sku, sku_id, units, name,
    options, quantity, cancelled_quantity, unit_price, amount, tax_rate, reserved, allocated_quantity, shipped_quantity)
SELECT id, place, 0, place::text, code, sku, 1, good, '', q, 0, price, price * q, rate, false,
       CASE WHEN placed THEN q ELSE 0 END, CASE WHEN left_us THEN q ELSE 0 END
  FROM (SELECT id, 0 AS place, code1 AS code, sku1 AS sku, good1 AS good, pieces AS q, price1 AS price, rate1 AS rate,
               placed, left_us FROM load_batch
        UNION ALL
        SELECT id, 1, code2, sku2, good2, 1, price2, rate2, placed, left_us FROM load_batch WHERE lines = 2) AS line
 ORDER BY line.id, line.place
"""

REASONS = """
INSERT INTO orders_reviewreason (order_id, code, level, evidence, field, fingerprint, state, raised_at, note)
SELECT id, 'buyer_note', 'block', remarks, 'remarks', md5(remarks),
       CASE WHEN stage = 'review' THEN 'open' ELSE 'accepted' END, ordered_at, ''
  FROM load_batch WHERE remarks <> ''
UNION ALL
SELECT id, 'gift_wrap', 'info', 'ラッピング: ' || gift, 'gift', md5(gift), 'open', ordered_at, ''
  FROM load_batch WHERE gift <> ''
UNION ALL
SELECT id, 'remote_island', 'warn', '〒' || postal_code || ' は離島・中継地域です。', 'recipient', md5(postal_code),
       'open', ordered_at, ''
  FROM load_batch WHERE prefecture = '沖縄県'
"""

COUNTS = """
INSERT INTO orders_stagedelta (shop_id, stage, delta) SELECT shop_id, stage, count(*) FROM load_batch GROUP BY 1, 2
"""
