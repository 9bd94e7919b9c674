-- The database and the account that serves people. accounts.sh runs this once, when the volume is still empty, and says
-- what @serving_password is. The account that migrates (MYSQL_USER) is made by the image itself, with every right on this
-- database and no other.
ALTER DATABASE mingchat CHARACTER SET utf8mb4;

SET @statement = CONCAT('CREATE USER ''mingchat''@''%'' IDENTIFIED BY ', QUOTE(@serving_password));
PREPARE statement FROM @statement;
EXECUTE statement;
DEALLOCATE PREPARE statement;

-- Rows, never tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON mingchat.* TO 'mingchat'@'%';
