# shellcheck shell=bash
# The image's entry point reads this when its volume is empty; the password stays out of the files.
case $MINGCHAT_PASSWORD in
*[!A-Za-z0-9_-]*) mysql_error "MYSQL_PASSWORD may have letters, digits, - and _ only" ;;
esac
{
    printf "SET @serving_password = '%s';\n" "$MINGCHAT_PASSWORD"
    cat /mingchat/init.sql
} | docker_process_sql
