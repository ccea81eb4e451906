-- What datacommons adds to a pgSTAC database: functions for CQL2 that pgSTAC does not have, and indexes on words and on
-- the properties that a commons declares. Nothing of pgSTAC itself is changed.
CREATE SCHEMA IF NOT EXISTS datacommons;
-- Whoever puts items in has the indexes filled, and so calls these functions.
GRANT USAGE ON SCHEMA datacommons TO PUBLIC;

-- A time in RFC 3339, NULL where it is none; without a zone it is UTC.
CREATE OR REPLACE FUNCTION datacommons.moment_of(value jsonb) RETURNS timestamptz AS $$
BEGIN
    IF jsonb_typeof(value) IS DISTINCT FROM 'string' OR (value #>> '{}') !~ '^\d{4}-\d{2}-\d{2}' THEN
        RETURN NULL;
    END IF;
    RETURN (value #>> '{}')::timestamptz;
EXCEPTION WHEN others THEN
    RETURN NULL;
END;
$$ LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET timezone = 'UTC' SET datestyle = 'ISO, YMD';

CREATE OR REPLACE FUNCTION datacommons.casei(value jsonb) RETURNS jsonb AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'string' THEN to_jsonb(lower(value #>> '{}')) ELSE value END
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

CREATE OR REPLACE FUNCTION datacommons.without_accents(value text) RETURNS text AS $$
    SELECT normalize(regexp_replace(normalize(value, NFD), '[\u0300-\u036f]', '', 'g'), NFC)
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

CREATE OR REPLACE FUNCTION datacommons.accenti(value jsonb) RETURNS jsonb AS $$
    SELECT CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(datacommons.without_accents(value #>> '{}')) ELSE value END
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

-- NULL where one is no number, or there is no result.
CREATE OR REPLACE FUNCTION datacommons.calculate(operator text, a jsonb, b jsonb) RETURNS jsonb AS $$
DECLARE
    x float;
    y float;
    result float;
BEGIN
    IF jsonb_typeof(a) <> 'number' OR jsonb_typeof(b) <> 'number' THEN
        RETURN NULL;
    END IF;
    x := a::float;
    y := b::float;
    result := CASE operator
        WHEN '+' THEN x + y
        WHEN '-' THEN x - y
        WHEN '*' THEN x * y
        WHEN '/' THEN x / y
        WHEN '%' THEN x - y * trunc(x / y)
        WHEN 'div' THEN trunc(x / y)
        WHEN '^' THEN x ^ y
    END;
    RETURN to_jsonb(result);
EXCEPTION WHEN others THEN
    RETURN NULL;
END;
$$ LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE;

CREATE OR REPLACE FUNCTION datacommons.relate_lists(relation text, a jsonb, b jsonb) RETURNS boolean AS $$
    SELECT CASE WHEN jsonb_typeof(a) = 'array' AND jsonb_typeof(b) = 'array' THEN
        CASE relation
            WHEN 'a_contains' THEN NOT EXISTS (
                SELECT jsonb_array_elements(b) EXCEPT SELECT jsonb_array_elements(a))
            WHEN 'a_containedby' THEN NOT EXISTS (
                SELECT jsonb_array_elements(a) EXCEPT SELECT jsonb_array_elements(b))
            WHEN 'a_equals' THEN NOT EXISTS (
                SELECT jsonb_array_elements(b) EXCEPT SELECT jsonb_array_elements(a)) AND NOT EXISTS (
                SELECT jsonb_array_elements(a) EXCEPT SELECT jsonb_array_elements(b))
            WHEN 'a_overlaps' THEN EXISTS (
                SELECT jsonb_array_elements(a) INTERSECT SELECT jsonb_array_elements(b))
        END
    END
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

-- The words of a text between single blanks, whatever the case and the accents.
CREATE OR REPLACE FUNCTION datacommons.words(value text) RETURNS text AS $$
    SELECT ' ' || btrim(
        regexp_replace(lower(datacommons.without_accents(value)), '[^[:alnum:]]+', ' ', 'g')
    ) || ' '
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

CREATE OR REPLACE FUNCTION datacommons.words_of(id text, properties jsonb) RETURNS text AS $$
    SELECT datacommons.words(concat_ws(E'\n', id,
        CASE jsonb_typeof(properties->'title') WHEN 'string' THEN properties->>'title' END,
        CASE jsonb_typeof(properties->'description') WHEN 'string' THEN properties->>'description' END,
        (SELECT string_agg(word #>> '{}', E'\n') FROM jsonb_array_elements(
            CASE jsonb_typeof(properties->'keywords') WHEN 'array' THEN properties->'keywords' ELSE '[]' END
        ) word WHERE jsonb_typeof(word) = 'string')))
$$ LANGUAGE sql IMMUTABLE PARALLEL SAFE;

CREATE OR REPLACE FUNCTION datacommons.mentions(text_words text, terms text[]) RETURNS boolean AS $$
    SELECT EXISTS (
        SELECT 1 FROM unnest(terms) term
        WHERE btrim(datacommons.words(term)) <> '' AND strpos(text_words, datacommons.words(term)) > 0
    )
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

-- Each word once, for the index; NULL where there is none. A phrase is looked up by its words, and then compared.
CREATE OR REPLACE FUNCTION datacommons.word_list(value text) RETURNS text[] AS $$
    SELECT string_to_array(nullif(btrim(datacommons.words(value)), ''), ' ')
$$ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE;

CREATE INDEX IF NOT EXISTS datacommons_words
    ON pgstac.items USING gin (datacommons.word_list(datacommons.words_of(id, content -> 'properties')));

CREATE INDEX IF NOT EXISTS datacommons_order
    ON pgstac.items (datetime DESC, id COLLATE "C", collection COLLATE "C");

-- What each item was derived from, which may not be lost under it.
CREATE TABLE IF NOT EXISTS datacommons.sources (
    source_collection text NOT NULL, source_id text NOT NULL, collection text NOT NULL, id text NOT NULL,
    PRIMARY KEY (source_collection, source_id, collection, id)
);
CREATE INDEX IF NOT EXISTS sources_by_item ON datacommons.sources (collection, id);

CREATE TABLE IF NOT EXISTS datacommons.version (version int NOT NULL);
