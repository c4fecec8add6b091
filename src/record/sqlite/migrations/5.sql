-- An id begins with a letter, so that no spreadsheet takes it for a number: 0 to 9 become g to p.
UPDATE row SET id = char(unicode(id) + 55) || substr(id, 2) WHERE id GLOB '[0-9]*';
